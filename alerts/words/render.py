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
    if form is Form.MAIL:
        brief = Speaker(facts, config, language, Form.SMS)
        return mail(facts, language, _template(facts, of_hundred=speaker.counts), speaker, brief)
    if facts.link:
        short = form is Form.SMS
        template = _template(facts, of_hundred=speaker.counts and not short)
        text = _text(template, language, form, speaker, linked=template.may_link)
        if not short or (template.may_link and cost(text.body).segments <= MOST_SEGMENTS):
            return text
    return _text(_template(facts, of_hundred=speaker.counts), language, form, speaker, linked=False)


def _template(facts: Facts, *, of_hundred: bool) -> Template:
    meeting = bool(facts.meeting)
    return template_of(facts.kind, facts.step, facts.audience, meeting=meeting, of_hundred=of_hundred)


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
