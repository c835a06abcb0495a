"""Names that smell of the future: what nobody can know before treatment starts.

The list errs on the side of asking: `HPV status` is refused too, until the study file says in
`override_reason` why it is known at baseline.
"""

import re
import unicodedata

# English, French and German, after accents and capitals are gone. Whole words first:
_WORDS = (
    r"fu|fup|\w*times?|timepoint\w*|duration\w*|days\w*|\w*months|interval\w*|last\w*|latest",
    r"suivi\w*|temps\w*|delai\w*|duree\w*|jours|derni\w*",
    r"\w*zeit(en)?|\w*zeitraum|\w*dauer|tage|letzte\w*|verlauf\w*",
    r"(dm|lrr?|lrc|os|pfs|dfs|rfs|lrfs|dmfs|efs|css)(days?|years?|events?)",
    r"dm|lr|lrc|lrr|os|pfs|dfs|rfs|lrfs|dmfs|efs|css|failure\w*|respon\w*|distant\w*|regional\w*",
    r"rechut\w*|evolution\w*|reponse\w*|ansprechen",
    r"\w*mets|exitus|ned|dod|awd|deced\w*",
    r"dead|died|alive|living|vital\w*|cause\w*|mort\w*|deces\w*|vivant\w*|survie\w*|tod|tot|lebt",
    r"\w*status|statut|event\w*|evenement\w*|ereignis\w*|outcome\w*|endpoint\w*",
)
# Roots that betray the future wherever they stand in a word:
_ROOTS = (
    "timeto|follow|nachsorge|nachbeobacht|recur|relaps|recidiv|rezidiv|rue?ckfall",
    "progress|remission|regional|metasta|death|deceas|surviv|mortal|uberleb|ueberleb|todes",
    "verstorben|gestorben|sterbe|ursache|censor|zensier",
)
_FUTURE_WORD = re.compile("|".join(_WORDS))
_FUTURE_ROOT = re.compile("|".join(_ROOTS))
# What is innocent word by word: a primary site is known, a second primary is not yet.
_FUTURE_PHRASE = re.compile(
    "(second|new)(ary)?(primar|cancer|malignan|tumou?r)|zweit(tumor|karzinom)|dist(ant)?met(?!ab)"
)


def future_word(name: str) -> str | None:
    """Return the word of a name that smells of the future, or None.

    Examples
    --------
    >>> future_word("time3"), future_word("Time diagnosis to CT sim (days)"), future_word("age")
    ('time', 'time', None)
    >>> future_word("Überlebenszeit"), future_word("date_deces"), future_word("vitalStatus")
    ('uberlebenszeit', 'deces', 'vital')
    """
    words = _words(name)
    for word in words:
        if _FUTURE_WORD.fullmatch(word) or _FUTURE_ROOT.search(word):
            return word
    phrase = _FUTURE_PHRASE.search("".join(words))
    return phrase[0] if phrase else None


def _words(name: str) -> list[str]:
    split_camel = re.sub(r"(?<=[a-zà-ÿ])(?=[A-ZÀ-Þ])", " ", name)
    plain = unicodedata.normalize("NFKD", split_camel).casefold()
    without_accents = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return re.findall(r"[a-z]+", without_accents)
