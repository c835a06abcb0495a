"""`hnmets features rebuild`: make the database again from the shards."""

from cli import options, render


def rebuild(study: options.StudyFile = options.DEFAULT_STUDY, json: options.Json = False) -> None:
    """Make the database again from the shards; nothing is measured again."""
    from feature_store.rebuild import rebuild as make_again
    from hnmets.workflows.study import load_study

    rows = make_again(load_study(study).store_folder)
    if json:
        render.show_json({"rows": rows})
    else:
        render.say(f"{rows} rows from the shards")
