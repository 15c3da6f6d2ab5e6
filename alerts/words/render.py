"""Facts into words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alerts.facts import Form, Text
from alerts.words.mail import mail
from alerts.words.pattern import filled, pattern, places, template_name
from alerts.words.sms import MOST_SEGMENTS, cost, plain
from alerts.words.templates import Known, template_of
from alerts.words.variables import Speaker

if TYPE_CHECKING:
    from alerts.facts import Facts
    from alerts.words.templates import Template
    from config.config import Config


def render(facts: Facts, config: Config, language: str, form: Form) -> Text:
    """A message in `hi` or `en` for a channel's form.

    A text message keeps within three segments whatever the names; a link that would not fit is left out there.
    Raises UnsaidError for a message that nobody is ever sent, UnknownLanguageError.
    """
    speaker = Speaker(facts, config, language, form)
    full = _template(facts, speaker.known)
    if form is Form.MAIL:
        return mail(facts, language, full, speaker, Speaker(facts, config, language, Form.SMS))
    if facts.link:
        linked = full if full.links(form) else _template(facts, Known.NOTHING)
        text = _text(linked, language, form, speaker, linked=linked.may_link)
        if form is not Form.SMS or (linked.may_link and cost(text.body).segments <= MOST_SEGMENTS):
            return text
    return _text(full, language, form, speaker, linked=False)


def _template(facts: Facts, known: Known) -> Template:
    return template_of(facts.kind, facts.step, facts.audience, meeting=bool(facts.meeting), known=known)


def _text(template: Template, language: str, form: Form, speaker: Speaker, *, linked: bool) -> Text:
    words = pattern(template, language, form, speaker.phone, linked=linked)
    words = plain(words) if form is Form.SMS else words
    variables = tuple(speaker.value(name) for name in places(words))
    return Text(
        template=template_name(template, language, linked=linked),
        variables=variables,
        subject="",
        body=filled(words, variables),
    )
