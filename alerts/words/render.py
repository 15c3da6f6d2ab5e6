"""Facts into words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alerts.facts import Form, Text
from alerts.words.mail import mail
from alerts.words.pattern import filled, pattern, places, template_name
from alerts.words.sms import MOST_SEGMENTS, cost, plain
from alerts.words.templates import template_of
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
    template = template_of(
        facts.kind,
        facts.step,
        facts.audience,
        meeting=bool(facts.meeting),
        of_hundred=speaker.lost_of_hundred is not None,
    )
    if form is Form.MAIL:
        return mail(facts, language, template, speaker, Speaker(facts, config, language, Form.SMS))
    linked = bool(facts.link) and template.may_link
    text = _text(template, language, form, speaker, linked=linked)
    if linked and form is Form.SMS and cost(text.body).segments > MOST_SEGMENTS:
        text = _text(template, language, form, speaker, linked=False)
    return text


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
