"""Names that smell of the future: what nobody can know before treatment starts.

The list errs on the side of asking: `HPV status` is refused too, until the study file says in
`override_reason` why it is known at baseline.
"""

import re
import unicodedata

# English, French and German, after accents and capitals are gone. Whole words first:
_WORDS = (
    r"fu|\w*times?|timepoint\w*|duration\w*|days\w*|months|interval\w*|last\w*|latest",
    r"suivi\w*|temps\w*|delai\w*|duree\w*|jours|derni\w*",
    r"\w*zeit(en)?|\w*zeitraum|\w*dauer|tage|letzte\w*|verlauf\w*",
    r"dm|lr|lrc|os|pfs|dfs|rfs|lrfs|dmfs|efs|css|failure\w*|respon\w*|distant\w*|regional\w*",
    r"rechut\w*|evolution\w*|reponse\w*|ansprechen",
    r"dead|died|alive|living|vital\w*|cause\w*|mort\w*|deces\w*|vivant\w*|survie\w*|tod|tot|lebt",
    r"status|statut|event\w*|evenement\w*|ereignis\w*|outcome\w*|endpoint\w*",
)
# Roots that betray the future wherever they stand in a word:
_ROOTS = (
    "timeto|follow|nachsorge|nachbeobacht|recur|relaps|recidiv|rezidiv|rue?ckfall",
    "progress|remission|regional|metasta|death|deceas|surviv|mortal|uberleb|ueberleb|todes",
    "verstorben|gestorben|ursache|censor|zensier",
)
_FUTURE_WORD = re.compile("|".join(_WORDS))
_FUTURE_ROOT = re.compile("|".join(_ROOTS))


def future_word(name: str) -> str | None:
    """Return the word of a name that smells of the future, or None.

    Examples
    --------
    >>> future_word("time3"), future_word("Time diagnosis to CT sim (days)"), future_word("age")
    ('time', 'time', None)
    >>> future_word("Überlebenszeit"), future_word("date_deces"), future_word("vitalStatus")
    ('uberlebenszeit', 'deces', 'vital')
    """
    return next(
        (
            word
            for word in _words(name)
            if _FUTURE_WORD.fullmatch(word) or _FUTURE_ROOT.search(word)
        ),
        None,
    )


def _words(name: str) -> list[str]:
    split_camel = re.sub(r"(?<=[a-zà-ÿ])(?=[A-ZÀ-Þ])", " ", name)
    plain = unicodedata.normalize("NFKD", split_camel).casefold()
    without_accents = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return re.findall(r"[a-z]+", without_accents)
