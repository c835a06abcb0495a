"""What people look at: figures and documents."""
