"""Reads the tokens of one time frame from left to right into epochs. No frames and no patterns of words here."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from itertools import pairwise

from pipeline.registry import timeframe_words as language
from pipeline.registry.timeframe_words import Token

# More plain words than this around the epochs and the text may say something that was not understood.
_WORDS_LIMIT = 12


@dataclass
class _Moment:
    """A place in time: an offset from an anchor. `low` and `high` differ for "6-9 months"."""

    start: int
    end: int
    anchor: str = "unstated"
    words: str | None = None
    low: float | None = None
    high: float | None = None
    unit: str | None = None
    is_point: bool = False  # "week 12" is a point; "12 weeks" may be a length
    is_approximate: bool = False
    label: str | None = None
    event: str | None = None

    @property
    def has_number(self) -> bool:
        return self.low is not None


@dataclass
class Epoch:
    start: int
    end: int
    kind: str
    anchor: str
    anchor_words: str | None = None
    start_offset: float | None = None
    end_offset: float | None = None
    unit: str | None = None
    end_anchor: str | None = None
    end_event: str | None = None
    is_approximate: bool = False
    is_unit_converted: bool = False
    label: str | None = None


@dataclass
class Reading:
    epochs: list[Epoch] = field(default_factory=list)
    repeats: str | None = None
    status: str = "unparsed"


def read(text: str) -> Reading:
    """The epochs of one text, how often it repeats, and how well it was understood."""
    return _Reader(text, language.tokens(text)).read()


class _Reader:
    """Reads the tokens of one text from left to right."""

    def __init__(self, text: str, tokens: list[Token]):
        self.text = text
        self.tokens = tokens
        self.at = 0
        self.reading = Reading()
        self.label: Token | None = None
        self.left_over = 0
        self.words = 0
        self.between = False
        self.is_approximate = False
        self.is_from = False
        # The other members of a list, which share what is found out about its first.
        self._pending: list[_Moment] = []

    # --- the text

    def read(self) -> Reading:
        while self.at < len(self.tokens):
            before = self.at
            self._clause()
            if self.at == before:
                self.at += 1
        self._share_anchor()
        self._inherit_anchor()
        self._number_lists()
        reading = self.reading
        if reading.epochs:
            is_whole = not self.left_over and self.words <= _WORDS_LIMIT
            reading.status = "parsed" if is_whole else "partial"
        elif reading.repeats and not self.left_over:
            reading.status = "partial"
        return reading

    def _clause(self) -> None:
        token = self.tokens[self.at]
        kind = token.kind
        if kind == "label":
            self.label = token
            self.at += 1
        elif kind in (
            "definition",
            "compared",
            "at",
            "and",
            "stop",
            "open",
            "close",
            "dash",
            "plus",
            "colon",
        ):
            self.at += 1
        elif kind == "every":
            self.reading.repeats = self.reading.repeats or language.squeeze(
                self.text[token.start : token.end]
            ).removeprefix("of ")
            self.at += 1
        elif kind == "approx":
            self.is_approximate = True
            self.at += 1
        elif kind == "between":
            self.between = True
            self.at += 1
        elif kind == "date":
            self._dates()
        elif kind in ("upto", "beyond"):
            self._up_to()
        elif kind == "completion":
            self._open_range(self._nothing(token), token, event="study completion")
        elif kind == "until":
            self._until_without_start()
        elif kind in ("word", "named"):
            # "post course 1 and course 2": the second is an anchor that was not taken up.
            self.left_over += kind == "named" and token.text.startswith("course")
            self.words += token.text not in language.QUIET
            self.at += 1
        elif kind == "number":
            self.left_over += 1
            self.at += 1
        else:
            self._moment_or_range()

    # --- epochs

    def _moment_or_range(self) -> None:
        self.is_from = self._token().kind == "from"
        moment = self._moment()
        if moment is None:
            return
        link = self._link()
        if link is None:
            self._emit(moment)
            return
        self.at = link
        self.between = False
        self._range(moment)

    def _link(self) -> int | None:
        """The place behind a "to" that follows here, past quiet words; None where no range goes on."""
        place = self.at
        while place < len(self.tokens):
            token = self.tokens[place]
            if token.kind in ("until", "completion"):
                return place if token.kind == "completion" else place + 1
            if token.kind == "dash":
                return place + 1 if self._kind(place + 1) in language.NUMBERED | {"moment", "upto"} else None
            if token.kind == "upto" and token.text.startswith(("up", "ap")):
                return place + 1
            if token.kind == "and" and self.between:
                return place + 1
            if (
                token.kind == "stop"
                and token.text == ","
                and self._kind(place + 1) in ("until", "completion")
            ):
                place += 1
                continue
            if token.kind == "word" and token.text in language.QUIET:
                place += 1
                continue
            return self._far_link(place) if self.is_from else None
        return None

    def _far_link(self, place: int) -> int | None:
        """The "until" of a "from" whose event has alternatives: "from response, or remission, until relapse"."""
        for further in range(place, len(self.tokens)):
            token = self.tokens[further]
            if token.kind == "until" and token.text != "to":
                return further + 1
            if token.kind in language.NUMBERED | {"number", "date", "from", "label"} or token.text in (
                ";",
                ".",
                "\n",
            ):
                return None
        return None

    def _range(self, start: _Moment) -> None:
        token = self._token()
        if token is not None and token.kind == "completion":
            self._open_range(start, token, event="study completion")
            return
        # "Week 1 to Week 8, Week 12": only a named start has several ends.
        ends = self._list_of_moments(is_one=start.has_number)
        if ends and ends[0].has_number:
            for end in ends:
                self._emit_range(start, end)
            return
        if ends:
            self._open_range(
                start, None, event_start=ends[0].start, event_end=ends[0].end, end_anchor=ends[0].anchor
            )
        else:
            self._open_range(start, None, event_start=self._here())

    def _list_of_moments(self, is_one: bool = False) -> list[_Moment]:
        """The moments that end a range: "Weeks 4 and 8" are two ends of one start."""
        first = self._moment(as_end=True)
        if first is None:
            return []
        found = [first, *self._pending]
        self._pending = []
        if is_one:
            return found
        while self._kind(self.at) in ("and",) or (
            self._kind(self.at) == "stop"
            and self._token().text == ","
            and self._kind(self.at + 1) in ("lead", "trail", "and")
        ):
            place = self.at
            while self._kind(self.at) in ("and", "stop"):
                self.at += 1
            if self._kind(self.at) not in ("lead", "trail", "ordinal") or not first.has_number:
                self.at = place
                break
            following = self._moment(as_end=True)
            if following is None:
                self.at = place
                break
            if self._link() is not None:
                # "Week 1 to Week 2, Week 3 to Week 4": the next range begins here.
                self.at = place
                break
            found += [following, *self._pending]
            self._pending = []
        return found

    def _open_range(
        self,
        start: _Moment,
        token: Token | None,
        event: str | None = None,
        event_start: int | None = None,
        event_end: int | None = None,
        end_anchor: str | None = None,
    ) -> None:
        """A range that ends with an event: "until progression or death, assessed up to 60 months"."""
        if token is not None:
            event_start, self.at = token.start, self.at + 1
        end_moment, event_end = None, token.end if token else event_end
        if token is not None:
            end_anchor = "study_end"
        if (
            token is not None
            and self._kind(self.at) in ("until", "upto")
            and self._kind(self.at + 1)
            not in (
                "lead",
                "trail",
                "compound",
            )
        ):
            self.at += 1
        strong, depth = self._later_bound(), 0
        while self.at < len(self.tokens):
            now = self._token()
            if now.kind == "stop" and now.text in (";", ".", "\n") and not self._bound_follows(self.at + 1):
                break
            if now.kind == "label":
                break
            if now.kind in ("lead", "trail", "compound", "ordinal") and (strong is None or self.at > strong):
                end_moment = self._moment(as_end=True)
                break
            if now.kind == "date" or now.kind in ("word", "moment"):
                event_end = now.end
            elif now.kind == "number":
                self.left_over += 1
            elif now.kind == "approx":
                self.is_approximate = True
            elif now.kind == "every":
                self.reading.repeats = self.reading.repeats or language.squeeze(
                    self.text[now.start : now.end]
                )
            elif now.kind == "open":
                depth += 1
            elif now.kind == "close":
                depth -= 1
                if depth < 0 and not self._bound_follows(self.at + 1):
                    self.at += 1
                    break
            self.at += 1
        words = event
        if words is None and event_start is not None:
            words = _event_words(self.text[event_start : event_end or event_start])
        extra = self._pending
        self._pending = []
        if end_moment is None and not event_end and start.end == start.start:
            self.left_over += 1
            return
        if end_moment is None or not end_moment.has_number:
            self._add(
                Epoch(
                    start.start,
                    max(event_end or 0, start.end, end_moment.end if end_moment else 0),
                    "range",
                    start.anchor,
                    start.words,
                    start.high if start.has_number else 0.0,
                    None,
                    start.unit or "day",
                    end_anchor=end_anchor if end_anchor != "other" else None,
                    end_event=words or None,
                    is_approximate=self._take_approximate(),
                )
            )
            return
        for end in (end_moment, *extra):
            self._emit_range(start, end, event=words or None)

    def _later_bound(self) -> int | None:
        """Where "assessed up to" stands further on in this sentence: its value bounds the range, not an earlier one."""
        for place in range(self.at, len(self.tokens)):
            token = self.tokens[place]
            if token.kind == "stop" and token.text in (";", "\n") and not self._bound_follows(place + 1):
                return None
            if (
                token.kind in ("upto", "until")
                and "up" in token.text
                and self._kind(place + 1) in ("trail", "lead", "compound", "approx")
            ):
                return place
        return None

    def _bound_follows(self, place: int) -> bool:
        while self._kind(place) in ("word", "stop", "open") and place < len(self.tokens):
            place += 1
        return self._kind(place) in ("upto", "approx") or (
            self._kind(place) == "until" and "up" in self.tokens[place].text
        )

    def _up_to(self) -> None:
        opening = self._token()
        self.at += 1
        self._skip("approx", "at", "and", quiet=True)
        if opening.kind == "beyond":
            moment = self._moment(as_end=True)
            if moment is None or not moment.has_number:
                return
            if (link := self._link()) is not None:
                self.at = link
                self._range(replace(moment, start=opening.start))
                return
            self._add(
                Epoch(
                    opening.start,
                    moment.end,
                    "range",
                    moment.anchor,
                    moment.words,
                    moment.low,
                    None,
                    moment.unit,
                    is_approximate=self._take_approximate(),
                )
            )
            return
        moments = self._list_of_moments()
        if not moments:
            return
        if not moments[0].has_number:
            # "during the treatment", "throughout hospitalisation": a period that the text may bound.
            moment = moments[0]
            is_period = moment.anchor in language.PERIODS and not opening.text.startswith("within")
            if self._bound_follows(self.at) or is_period:
                self._open_range(
                    self._nothing(opening),
                    None,
                    event_start=moment.start,
                    event_end=moment.end,
                    end_anchor=moment.anchor,
                )
            elif opening.text.startswith("within") and moment.anchor in language.WEAK:
                self.words += 1
            else:
                self._emit(replace(moment, start=opening.start))
            return
        last = self.reading.epochs[-1] if self.reading.epochs else None
        if last is not None and last.end_offset is None and last.end_event and self._is_near(last, opening):
            end = moments[-1]
            last.end_offset, last.end, last.is_approximate = end.high, end.end, self._take_approximate()
            if not last.start_offset:
                last.unit = end.unit
            return
        for moment in moments:
            self._emit_range(self._nothing(opening), moment)

    def _is_near(self, epoch: Epoch, token: Token) -> bool:
        return not re.search(r"\d", self.text[epoch.end : token.start])

    def _until_without_start(self) -> None:
        token = self._token()
        self.at += 1
        place = self.at
        while self._kind(place) in ("approx", "upto", "at", "before", "after") or (
            self._kind(place) == "word" and self.tokens[place].text in language.QUIET
        ):
            place += 1
        if token.text == "to" and self._kind(place) not in language.NUMBERED | {
            "moment",
            "date",
            "completion",
        }:
            # "to collect data", "according to …": a word like others.
            self.words += 1
            return
        self._range(self._nothing(token))

    def _nothing(self, token: Token) -> _Moment:
        return _Moment(token.start, token.start, low=0.0, high=0.0)

    def _dates(self) -> None:
        first = last = self._token()
        self.at += 1
        while self._kind(self.at) in ("date", "until", "and", "dash", "word") and any(
            token.kind == "date" for token in self.tokens[self.at : self.at + 3]
        ):
            if self._kind(self.at) == "date":
                last = self._token()
            self.at += 1
        years = re.findall(r"(?:19|20)\d\d", self.text[first.start : last.end])
        self._add(
            Epoch(
                first.start,
                last.end,
                "range" if len(years) > 1 else "point",
                "calendar",
                None,
                float(years[0]),
                float(years[-1]),
                "calendar_year",
            )
        )

    def _emit(self, moment: _Moment) -> None:
        for one in (moment, *self._pending):
            kind, low, high, unit = "point", one.low, one.high, one.unit
            if not one.has_number:
                low, high, unit = 0.0, 0.0, "day"
            elif one.low != one.high:
                kind = "range"
            elif not one.is_point and one.anchor == "unstated":
                kind, low = "length", None
            self._add(
                Epoch(
                    one.start,
                    one.end,
                    kind,
                    one.anchor,
                    one.words,
                    low,
                    high,
                    unit,
                    is_approximate=one.is_approximate or self._take_approximate(),
                ),
                one.label,
            )
        self._pending = []

    def _emit_range(self, start: _Moment, end: _Moment, event: str | None = None) -> None:
        unit, low, converted = end.unit, start.low if start.has_number else 0.0, False
        anchor, words = start.anchor, start.words
        end_anchor = end.anchor if end.anchor != "unstated" else anchor
        if anchor == "unstated" and end.anchor != "unstated" and not start.is_point and event is None:
            # "0 to 2 years after enrolment" counts both from enrolment; "Day 1 to 30 days after last dose" does not.
            anchor, words = end.anchor, end.words
        if start.unit and start.unit != end.unit and low:
            # Day 1 (or 0) opens the study: it is the zero of the longer unit.
            if start.unit == "day" and low == 1 and end.unit != "day":
                low = 0.0
            elif start.unit in language.DAYS and end.unit in language.DAYS:
                low, converted = round(low * language.DAYS[start.unit] / language.DAYS[end.unit], 4), True
            else:
                self.left_over += 1
        label = None
        if end.label is not None:
            label = (
                f"{language.squeeze(self.text[start.start : start.end])} to {end.label}"
                if start.end > start.start
                else end.label
            )
        self._add(
            Epoch(
                min(start.start, end.start),
                max(start.end, end.end),
                "range",
                anchor,
                words,
                low,
                end.high,
                unit,
                end_anchor,
                event or end.event,
                end.is_approximate or self._take_approximate(),
                converted,
            ),
            label,
        )

    def _add(self, epoch: Epoch, label: str | None = None) -> None:
        epoch.label = label
        if self.label is not None:
            epoch.label = language.squeeze(self.text[self.label.start : self.label.end].rstrip(" .:"))
            self.label = None
        self.reading.epochs.append(epoch)

    def _take_approximate(self) -> bool:
        taken, self.is_approximate = self.is_approximate, False
        return taken

    def _share_anchor(self) -> None:
        """In "4 weeks, 8 weeks after randomization" both count from randomization."""
        for first, second in reversed(list(pairwise(self.reading.epochs))):
            if (
                first.anchor == "unstated"
                and first.kind in ("length", "point")
                and self.text[first.start].isdigit()
                and second.kind == "point"
                and second.anchor not in ("unstated", "calendar")
                and second.end_offset
                and self.text[second.start].isdigit()
                and re.fullmatch(r"\s*(?:,|,?\s*and|&)\s*", self.text[first.end : second.start])
            ):
                first.kind, first.start_offset = "point", first.end_offset
                first.anchor, first.anchor_words, first.end_anchor = second.anchor, second.anchor_words, None

    def _inherit_anchor(self) -> None:
        """In "Baseline, Months 4 and 8" the months count from the one moment that the text names."""
        named = {epoch.anchor for epoch in self.reading.epochs} - {"unstated", "calendar"}
        if named == {"baseline"}:
            for epoch in self.reading.epochs:
                if epoch.anchor == "unstated" and not self._is_heading(epoch):
                    epoch.anchor = "baseline"
                    if epoch.end_anchor == "unstated":
                        epoch.end_anchor = "baseline"

    def _is_heading(self, epoch: Epoch) -> bool:
        """ "2 months: from baseline to 14 days after surgery" opens with a length, which stays one."""
        return epoch.kind == "length" and self.text[epoch.end :].lstrip().startswith(":")

    def _number_lists(self) -> None:
        """ "3 months, 6 months": several lengths in one text can only be time points."""
        lengths = [
            epoch for epoch in self.reading.epochs if epoch.kind == "length" and not self._is_heading(epoch)
        ]
        if len(lengths) > 1 or (lengths and len(self.reading.epochs) > 1):
            for epoch in lengths:
                epoch.kind, epoch.start_offset = "point", epoch.end_offset

    # --- moments

    def _moment(self, as_end: bool = False) -> _Moment | None:
        """One moment from here on: a number with its anchor, or a named moment with what specifies it."""
        self._skip("approx", "at", "from", quiet=True)
        token = self._token()
        if token is None:
            return None
        if token.kind in ("lead", "trail", "compound", "ordinal"):
            return self._numbered(token)
        if token.kind in ("after", "before"):
            return self._around(token)
        if token.kind == "moment":
            if token.moment in language.WEAK and not as_end and not self._stands_alone():
                self.words += 1
                self.at += 1
                return None
            self.at += 1
            moment = _Moment(
                token.start, token.end, token.moment or "other", self.text[token.start : token.end]
            )
            return self._specified(moment, as_end)
        if token.kind in ("from",) or (token.kind == "word" and self._came_from()):
            phrase = self._phrase()
            if phrase is None:
                return None
            return self._specified(
                _Moment(phrase[0], phrase[1], self._named_in(phrase), self.text[phrase[0] : phrase[1]]),
                as_end,
            )
        return None

    def _named_in(self, phrase: tuple[int, int]) -> str:
        """The moment that an unknown phrase is about, where it is plain: "data of enrollment"."""
        inside = [token for token in self.tokens if phrase[0] <= token.start < phrase[1]]
        named = {token.moment for token in inside if token.moment} - language.WEAK
        is_others = any(token.text in ("last", "final", "patient", "participant") for token in inside)
        return named.pop() if len(named) == 1 and not is_others else "other"

    def _stands_alone(self) -> bool:
        """Whether a word such as "treatment" or "relapse" is a moment here, or one word of a sentence."""
        before, after = self._kind(self.at - 1), self._kind(self.at + 1)
        place = self.at - 1
        while self._kind(place) == "word" and self.tokens[place].text in language.QUIET:
            place -= 1
        if self._kind(place) in ("at", "upto", "until", "from", "between"):
            return True
        return before in (None, "stop", "and", "label", "open", "colon", "at", "upto") and (
            after
            in (None, "stop", "and", "open", "close", "at", "plus", "until", "upto", "colon", "completion")
        )

    def _came_from(self) -> bool:
        place = self.at - 1
        while place >= 0 and self.tokens[place].kind == "word":
            place -= 1
        return place >= 0 and self.tokens[place].kind == "from"

    def _numbered(self, token: Token) -> _Moment | None:
        values = language.values(token)
        self.at += 1
        if not values:
            self.left_over += 1
            return None
        moments = [
            _Moment(
                token.start,
                token.end,
                low=low,
                high=high,
                unit=unit,
                is_point=token.kind in ("lead", "ordinal"),
            )
            for low, high, unit in values
        ]
        if len(moments) > 1:
            for moment in moments:
                moment.is_point = True
                moment.label = _list_label(moment)
        if self._kind(self.at - 2) == "at" or (token.kind == "trail" and self._kind(self.at - 2) == "after"):
            for moment in moments:
                moment.is_point = True
        if (
            moments[0].unit == "cycle"
            and self._kind(self.at) == "lead"
            and token.kind == "lead"
            and len(moments) == 1
        ):
            # "Cycle 12 Day 1": the day counts from the cycle.
            cycle = f"cycle_{moments[0].low:g}"
            inner = self._numbered(self._token())
            if inner is not None:
                return replace(
                    inner, start=token.start, anchor=cycle, words=self.text[token.start : token.end]
                )
        end = token.end
        approximate = self.is_approximate
        anchor, words, end, sign = self._anchor_after(token, end)
        if words == "" and self._kind(self.at) == "at" and self._kind(self.at + 1) in language.NUMBERED:
            # "1-Month Follow-up at 12 weeks": the first number is its name.
            self.at += 2
            named = self._numbered(self.tokens[self.at - 1])
            return None if named is None else replace(named, start=token.start, is_point=True)
        for moment in moments:
            moment.is_point = moment.is_point or words == ""
            moment.end = end
            moment.is_approximate = approximate
            if anchor:
                moment.anchor, moment.words = anchor, words
                if sign < 0 and moment.low is not None and moment.low > 0:
                    moment.low, moment.high = -(moment.high or 0), -moment.low
        self._gloss(moments)
        self._pending = moments[1:]
        return moments[0]

    def _anchor_after(self, number: Token, end: int) -> tuple[str | None, str | None, int, int]:
        """The anchor that stands behind a number: "after last dose", "post-randomization", "from baseline".

        Gives name, words, end of the span and direction; name None with empty words means a point without anchor.
        """
        place = self.at
        if (
            self._kind(place) == "word"
            and self.tokens[place].text == "of"
            and (number.kind == "lead" or self._within(place - 2))
        ):
            # "Day 1 of study drug", "within 24 hours of surgery"; "8 weeks of treatment" is a length.
            keep, self.at = self.at, place + 1
            self._skip(quiet=True)
            named = self._token()
            if named is not None and named.kind == "moment":
                self.at += 1
                anchor, last = self._same_phrase(named.moment or "other", named.end)
                return anchor, self.text[named.start : last], last, 1
            if named is not None and named.kind == "lead" and named.text.startswith("cycle"):
                self.at += 1
                cycle = language.values(named)
                return f"cycle_{cycle[0][0]:g}" if cycle else None, named.text, named.end, 1
            phrase = self._phrase() if self._within(place - 2) else None
            if phrase is not None:
                return "other", self.text[phrase[0] : phrase[1]], phrase[1], 1
            self.at = keep
        while self._kind(place) == "dash" or (
            self._kind(place) == "word" and self.tokens[place].text in ("of", "in")
        ):
            place += 1
        token = self.tokens[place] if place < len(self.tokens) else None
        if token is None:
            return None, None, end, 1
        if token.text == "for" and self._within(self.at - 2):
            # "within 30 days for the last dose"
            keep, self.at = self.at, place + 1
            self._skip(quiet=True)
            named = self._token()
            if named is not None and named.kind == "moment":
                self.at += 1
                return named.moment, self.text[named.start : named.end], named.end, 1
            self.at = keep
        if token.kind == "before" and self._kind(place + 1) == "and":
            # "24 months before and 24 months after": the first half leans on the second.
            self.left_over += 1
        if token.kind == "before" and number.kind == "lead":
            # "Day 1 pre-dose" is a time on Day 1, not a day before it.
            if self._kind(place + 1) == "moment":
                self.at = place + 2
                return None, None, self.tokens[place + 1].end, 1
            return None, None, end, 1
        if token.kind in ("after", "before", "from"):
            if (
                token.kind == "from"
                and token.text.startswith("start")
                and self._kind(place + 1) not in ("moment",)
            ):
                return None, None, end, 1
            keep, self.at = self.at, place + 1
            sign = -1 if token.kind == "before" else 1
            self._skip(quiet=True)
            named = self._token()
            if named is not None and named.kind == "moment":
                self.at += 1
                anchor, last = named.moment or "other", named.end
                anchor, last = self._same_phrase(anchor, last)
                if token.kind == "after":
                    anchor = language.AFTER_OF.get(anchor, anchor)
                elif token.kind == "before":
                    anchor = language.BEFORE_OF.get(anchor, anchor)
                return anchor, self.text[named.start : last], last, sign
            phrase = self._phrase()
            if phrase is None:
                self.at = keep
                return None, None, end, 1
            return "other", self.text[phrase[0] : phrase[1]], phrase[1], sign
        if token.kind == "moment" and token.moment in ("follow_up", "delivery") and token.text != "delivery":
            self.at = place + 1
            if token.moment == "delivery":
                return "delivery", token.text, token.end, 1
            return None, "", token.end, 1
        return None, None, end, 1

    def _within(self, place: int) -> bool:
        return self._kind(place) == "upto" and self.tokens[place].text.startswith("within")

    def _same_phrase(self, anchor: str, last: int) -> tuple[str, int]:
        """Words that belong to a named moment: "treatment initiation of first cycle", "infusion visit"."""
        while self._kind(self.at) in ("word", "moment", "named") or (
            self._kind(self.at) == "from"
            and self._kind(self.at + 1) == "word"
            and self._kind(self.at + 2) in ("word", None)
        ):
            token = self._token()
            if token.kind == "word" and token.text in (
                "in",
                "with",
                "who",
                "which",
                "whichever",
                "if",
                "for",
            ):
                break
            last = token.end
            self.at += 1
        return anchor, last

    def _phrase(self) -> tuple[int, int] | None:
        start = end = None
        while self.at < len(self.tokens) and self._kind(self.at) not in language.PHRASE_ENDS | {
            "and",
            "dash",
            "compared",
        }:
            token = self._token()
            if token.kind == "number":
                break
            start = token.start if start is None else start
            end = token.end
            self.at += 1
        return None if start is None or end is None else (start, end)

    def _around(self, token: Token) -> _Moment | None:
        """ "Immediately after the intervention", "post-treatment", "pre-dose", "after 6 weeks"."""
        self.at += 1
        if self._kind(self.at) == "and" and self._kind(self.at + 1) in ("after", "before"):
            # "before and after surgery": one moment; "before and after 6 weeks" leaves the first half open.
            self.left_over += self._kind(self.at + 2) != "moment"
            self.at += 2
        self._skip("approx", quiet=True)
        named = self._token()
        if named is None:
            if token.text.rstrip("-") in ("post", "pre"):
                return _Moment(
                    token.start,
                    token.end,
                    "treatment_end" if token.kind == "after" else "treatment_start",
                    self.text[token.start : token.end],
                )
            return None
        if named.kind in ("lead", "trail", "compound", "ordinal"):
            moment = self._numbered(named)
            if moment is not None:
                moment.start, moment.is_point = token.start, True
            return moment
        if named.kind == "moment":
            self.at += 1
            anchor, last = self._same_phrase(named.moment or "other", named.end)
            anchor = (language.AFTER_OF if token.kind == "after" else language.BEFORE_OF).get(anchor, anchor)
            return self._specified(_Moment(token.start, last, anchor, self.text[named.start : last]), False)
        phrase = self._phrase()
        if phrase is None:
            if token.text.rstrip("-") not in ("post", "pre"):
                self.left_over += 1
            else:
                return _Moment(
                    token.start,
                    token.end,
                    "treatment_end" if token.kind == "after" else "treatment_start",
                    self.text[token.start : token.end],
                )
            return None
        return self._specified(
            _Moment(token.start, phrase[1], "other", self.text[phrase[0] : phrase[1]]), False
        )

    def _specified(self, moment: _Moment, as_end: bool) -> _Moment:
        """What a named moment is given as: "Post-treatment (8 weeks)", "T0 + 5 months", "Follow-up at 12 weeks"."""
        if self._kind(self.at) == "plus" and self._kind(self.at + 1) in ("trail", "lead"):
            self.at += 1
            number = language.values(self._token())
            if number:
                low, high, unit = number[0]
                moment = replace(moment, low=low, high=high, unit=unit, is_point=True, end=self._token().end)
            self.at += 1
            return moment
        while self._kind(self.at) in ("moment", "word") and self._kind(self.at) and not self._ends_phrase():
            moment.end = self._token().end
            if self._token().kind == "moment" and self._token().moment in (
                "follow_up",
                "study_end",
                "treatment_end",
            ):
                pass
            self.at += 1
        place = self.at
        if self._kind(place) in ("open", "at", "dash") and not (
            self._kind(place) == "dash" and self._kind(place + 1) not in ("lead",)
        ):
            return self._given_as(moment, as_end)
        return moment

    def _ends_phrase(self) -> bool:
        token = self._token()
        if token.kind == "moment":
            return token.moment in ("baseline", "screening")
        return token.text in (
            "in",
            "with",
            "who",
            "which",
            "whichever",
            "if",
            "for",
            "assessed",
            "then",
            "average",
        )

    def _given_as(self, moment: _Moment, as_end: bool) -> _Moment:
        opening = self._token()
        depth_end = self._closing(self.at) if opening.kind == "open" else None
        if depth_end is not None and moment.anchor in language.STARTS and self._only_repeats(depth_end):
            moment.end = self.tokens[min(depth_end, len(self.tokens) - 1)].end
            self.at = min(depth_end + 1, len(self.tokens))
            return moment
        place = self.at + 1
        is_bound, approximate = False, False
        while self._kind(place) in (
            "approx",
            "upto",
            "at",
            "word",
            "from",
            "moment",
            "after",
            "until",
            "open",
        ) and (depth_end is None or place < depth_end):
            if opening.kind in ("at", "dash") and self._kind(place) not in ("approx", "upto", "word"):
                return moment
            is_bound = is_bound or self._kind(place) in ("upto",)
            approximate = approximate or self._kind(place) == "approx"
            place += 1
        token = self.tokens[place] if place < len(self.tokens) else None
        if (
            token is None
            or token.kind not in ("lead", "trail", "compound", "ordinal")
            or (depth_end is not None and place > depth_end)
        ):
            if depth_end is not None and not any(
                inner.kind in ("lead", "trail", "compound", "number")
                for inner in self.tokens[self.at : depth_end]
            ):
                self.at = depth_end + 1
                moment.end = self.tokens[depth_end].end if depth_end < len(self.tokens) else moment.end
            return moment
        values = language.values(token)
        if not values or (self._kind(place + 1) == "until" and self._kind(place + 2) in language.NUMBERED):
            # A bracket with a range of its own is read as one, behind the moment.
            return moment
        self.at = place
        number = self._numbered(token)
        pending, self._pending = self._pending, []
        if number is None:
            return moment
        end = number.end
        if depth_end is not None:
            end = max(end, self.tokens[depth_end].end if depth_end < len(self.tokens) else end)
            self.at = max(self.at, min(depth_end + 1, len(self.tokens)))
        if moment.anchor in language.STARTS and 0 <= (number.low or 0) <= 1 and number.anchor == "unstated":
            return replace(moment, end=end)
        anchor, words = (number.anchor, number.words) if number.anchor != "unstated" else ("unstated", None)
        low = 0.0 if is_bound and not as_end else number.low
        specified = replace(
            number,
            start=moment.start,
            end=end,
            anchor=anchor,
            words=words,
            low=low,
            is_point=True,
            is_approximate=approximate or number.is_approximate,
            event=_event_words(moment.words or "") if is_bound and as_end else None,
        )
        self._pending = [replace(other, start=moment.start, end=end, is_point=True) for other in pending]
        return specified

    def _only_repeats(self, closing: int) -> bool:
        """Whether a bracket behind a start names it again: "first infusion (Baseline, Day 0)"."""
        inside = self.tokens[self.at + 1 : closing]
        return len(inside) > 1 and all(
            token.kind in ("stop", "open", "close", "and")
            or (token.kind == "moment" and token.moment in language.STARTS)
            or (
                token.kind == "lead" and all(0 <= low == high <= 1 for low, high, _ in language.values(token))
            )
            for token in inside
        )

    def _closing(self, place: int) -> int:
        depth = 0
        for index in range(place, len(self.tokens)):
            depth += (self.tokens[index].kind == "open") - (self.tokens[index].kind == "close")
            if depth == 0:
                return index
        return len(self.tokens)

    def _gloss(self, moments: list[_Moment]) -> None:
        """A bracket behind a number explains it: "Week 8 (End of Treatment)", "20 weeks (from baseline)"."""
        if self._kind(self.at) != "open":
            return
        closing = self._closing(self.at)
        inside = self.tokens[self.at + 1 : closing]
        if any(token.kind in ("upto",) for token in inside) and moments[0].unit in ("cycle", "visit"):
            return
        anchor = None
        for index, token in enumerate(inside):
            if any(number.kind in language.NUMBERED for number in inside):
                break
            if (
                token.kind in ("from", "after")
                and not token.text.startswith("post")
                and index + 1 < len(inside)
            ):
                anchor = next(
                    (following for following in inside[index + 1 :] if following.kind == "moment"), None
                )
                break
        last = (
            self.tokens[closing].end
            if closing < len(self.tokens)
            else inside[-1].end
            if inside
            else moments[0].end
        )
        for moment in moments:
            moment.end = last
            if (
                anchor is not None
                and moment.anchor == "unstated"
                and not any(t.kind == "until" for t in inside)
            ):
                moment.anchor, moment.words = anchor.moment or "other", self.text[anchor.start : anchor.end]
        self.at = min(closing + 1, len(self.tokens))

    # --- small steps

    def _token(self) -> Token | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def _here(self) -> int:
        token = self._token()
        return token.start if token else len(self.text)

    def _kind(self, place: int) -> str | None:
        return self.tokens[place].kind if 0 <= place < len(self.tokens) else None

    def _skip(self, *kinds: str, quiet: bool = False) -> None:
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            if token.kind == "approx":
                self.is_approximate = True
            if (
                token.kind in kinds
                or token.kind == "approx"
                or (quiet and token.kind == "word" and token.text in language.QUIET)
            ):
                self.at += 1
                continue
            return


def _list_label(moment: _Moment) -> str:
    """The name of one member of a list: "Months 4 and 8" → "Month 8"."""
    span = f"{moment.low:g}" if moment.low == moment.high else f"{moment.low:g}-{moment.high:g}"
    return f"{(moment.unit or '').capitalize()} {span}"


_EVENT_TRIM = re.compile(
    r"^(?:until|till|to|through|the|date|of|first|a|an|at|up|end of the|documented|time|\s)+\s+|"
    r"[\s,;(.-]+(?:whichever.*|with|an?|assessed|and|or|for|as)?[\s,;(.-]*$",
    re.I,
)


def _event_words(words: str) -> str:
    return language.squeeze(_EVENT_TRIM.sub("", words)).strip(" ,;.(-")
