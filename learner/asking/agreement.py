"""How far several people agree who answered the same questions. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence

Answers = Iterable[Sequence[Hashable]]
"""What was said of each question; questions with fewer than two answers say nothing about agreement."""


def percent_agreement(answers: Answers) -> float | None:
    """Return the mean share of pairs of answers to one question that agree, in 0 … 1.

    With n_uc answers c to question u, m_u in all::

        A = mean over u of  sum_c n_uc (n_uc - 1) / (m_u (m_u - 1))

    Args:
        answers: the labels given to each question.

    Returns:
        The share, None where no question has two answers.

    Source:
        Fleiss, *Measuring nominal scale agreement among many raters*, 1971, equation 2.

    Example:
        >>> percent_agreement([["a", "a", "b"], ["b", "b"]])
        0.6666666666666666
    """
    shares = []
    for counts, size in _pairable(answers):
        alike = sum(count * (count - 1) for count in counts.values())
        shares.append(alike / (size * (size - 1)))
    return sum(shares) / len(shares) if shares else None


def krippendorff_alpha(answers: Answers) -> float | None:
    """Return Krippendorff's alpha for nominal labels: 1 is full agreement, 0 what chance gives, below 0 less.

    With n_uc answers c to question u, m_u in all, n_c = sum_u n_uc and n = sum_c n_c, over questions with m_u >= 2::

        observed = (1/n) sum_u sum_c n_uc (m_u - n_uc) / (m_u - 1)
        expected = (1/n) sum_c n_c (n - n_c) / (n - 1)
        alpha = 1 - observed / expected

    It corrects for chance and takes any number of answers to each question.

    Args:
        answers: the labels given to each question.

    Returns:
        alpha <= 1, None where no question has two answers, or where all answers are one label: then there is nothing
        that could have been told apart.

    Source:
        Krippendorff, *Computing Krippendorff's alpha-reliability*, 2011, section C.

    Example:
        >>> krippendorff_alpha([["a", "a"], ["b", "b"], ["a", "b"], ["b", "b"]])
        0.5333333333333333
    """
    totals: Counter[Hashable] = Counter()
    observed = 0.0
    for counts, size in _pairable(answers):
        totals.update(counts)
        observed += sum(count * (size - count) for count in counts.values()) / (size - 1)
    n = sum(totals.values())
    expected = sum(count * (n - count) for count in totals.values())
    return 1.0 - observed * (n - 1) / expected if expected else None


def _pairable(answers: Answers) -> Iterable[tuple[Counter[Hashable], int]]:
    return ((Counter(said), len(said)) for said in answers if len(said) > 1)
