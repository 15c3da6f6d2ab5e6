"""From a publication to the sessions that subscribed to it; the sessions' coming and going."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from collector.broker.embedded import names, properties
from collector.broker.embedded.properties import ON_MESSAGE, Property
from collector.broker.embedded.reasons import Reason
from collector.broker.embedded.retained import Keeping, Retained
from collector.broker.embedded.session import Message, Offer, Session
from collector.broker.embedded.tree import FilterTree

if TYPE_CHECKING:
    from collector.broker.embedded.limits import Account, Limits
    from collector.broker.embedded.packets import Publish, Wish

Members = dict[str, tuple[Session, "Wish"]]
"""The sessions of one group that share one filter, by client id; the next in turn stands first."""


class Router:
    """Sessions, subscriptions and retained messages of one broker."""

    def __init__(self, limits: Limits, account: Account) -> None:
        self.sessions: dict[str, Session] = {}
        self.retained = Retained(limits)
        self._limits = limits
        self._account = account
        self._tree: FilterTree[tuple[Session, Wish]] = FilterTree()
        self._groups: FilterTree[Members] = FilterTree()

    # ------------------------------------------------------------------ sessions

    def session(self, client_id: str, *, clean: bool) -> tuple[Session, bool] | None:
        """The session of a client id and whether it was there already; None when there are too many."""
        former = self.sessions.get(client_id)
        if former is not None and not clean:
            return former, True
        if former is not None:
            self.end(former)
        elif len(self.sessions) >= self._limits.sessions:
            return None
        session = Session(client_id, self._account, self._limits)
        self.sessions[client_id] = session
        return session, False

    def end(self, session: Session) -> None:
        """A session is over, with all that waits in it."""
        for name in list(session.subscriptions):
            self.unsubscribe(session, name)
        session.discard()
        if self.sessions.get(session.client_id) is session:
            del self.sessions[session.client_id]

    def end_expired(self, now_s: float) -> None:
        """End the sessions whose time without a connection is over."""
        for session in [s for s in self.sessions.values() if s.ends_s is not None and s.ends_s <= now_s]:
            self.end(session)

    # ------------------------------------------------------------------ subscriptions

    def subscribe(self, session: Session, wish: Wish) -> tuple[Reason, bool]:
        """Enter a subscription: what became of it, and whether it wants the retained messages handed over."""
        share = names.shared(wish.filter)
        if not names.is_filter(share.filter if share else wish.filter):
            return Reason.FILTER_INVALID, False
        is_new = wish.filter not in session.subscriptions
        if is_new and len(session.subscriptions) >= self._limits.subscriptions:
            return Reason.QUOTA_EXCEEDED, False
        session.subscriptions[wish.filter] = wish
        if share:
            self._join(share, session, wish)
        else:
            self._tree.put(wish.filter, session.client_id, (session, wish))
        wants = share is None and (wish.retain_handling == 0 or (wish.retain_handling == 1 and is_new))
        return (Reason.GRANTED_QOS_1 if wish.qos else Reason.SUCCESS), wants

    def unsubscribe(self, session: Session, name: str) -> Reason:
        """Take a subscription away."""
        if session.subscriptions.pop(name, None) is None:
            return Reason.NO_SUBSCRIPTION_EXISTED
        share = names.shared(name)
        if share is None:
            self._tree.remove(name, session.client_id)
            return Reason.SUCCESS
        members = self._groups.get(share.filter, share.group)
        if members is not None:
            members.pop(session.client_id, None)
            if not members:
                self._groups.remove(share.filter, share.group)
        return Reason.SUCCESS

    def _join(self, share: names.Shared, session: Session, wish: Wish) -> None:
        members = self._groups.get(share.filter, share.group)
        if members is None:
            members = {}
            self._groups.put(share.filter, share.group, members)
        members[session.client_id] = (session, wish)

    def hand_over(self, session: Session, wish: Wish, now_s: float) -> None:
        """Give a new subscription what is retained for it (3.3.1.3)."""
        for message in self.retained.find(wish.filter, now_s):
            packet = replace(message.publish, qos=min(message.publish.qos, wish.qos, 1), retain=True)
            session.offer(replace(message, publish=packet), now_s)

    # ------------------------------------------------------------------ messages

    def publish(self, packet: Publish, sender: str, now_s: float) -> Reason:
        """Deliver a publication. `QUOTA_EXCEEDED` when someone with a claim on it had no room: it is not taken.

        Subscribers who had room have it all the same: QoS 1 is *at least* once.
        """
        self._account.received += 1
        message = as_message(packet, now_s)
        if packet.retain and self.retained.keep(message) is Keeping.FULL:
            return self._refuse()
        offers = [
            session.offer(_for(message, wish), now_s)
            for session, wish in self._subscribers(packet.topic, sender)
        ]
        offers += [
            self._offer_group(members, message, now_s) for _, members in self._groups.find(packet.topic)
        ]
        if Offer.FULL in offers:
            return self._refuse()
        return Reason.SUCCESS if offers or packet.retain else Reason.NO_MATCHING_SUBSCRIBERS

    def _subscribers(self, topic: str, sender: str) -> list[tuple[Session, Wish]]:
        """Each matching session once, with the best of its overlapping subscriptions (3.3.4)."""
        best: dict[str, tuple[Session, Wish]] = {}
        for client_id, (session, wish) in self._tree.find(topic):
            if wish.no_local and client_id == sender:
                continue
            known = best.get(client_id)
            if known is None or wish.qos > known[1].qos:
                best[client_id] = (session, wish)
        return list(best.values())

    def _offer_group(self, members: Members, message: Message, now_s: float) -> Offer:
        """Offer to the members in turn: connected ones first, the absent only when nobody else has room."""
        offer = Offer.DROPPED
        for session, wish in sorted(members.values(), key=lambda member: member[0].line is None):
            offer = session.offer(_for(message, wish), now_s)
            if offer is Offer.TAKEN:
                members[session.client_id] = members.pop(session.client_id)  # to the end of the turn
                return offer
        return offer

    def _refuse(self) -> Reason:
        self._account.refused += 1
        return Reason.QUOTA_EXCEEDED


def as_message(packet: Publish, now_s: float) -> Message:
    """A client's packet as a message: only the properties that belong to it, and the time of its end."""
    kept = tuple((i, value) for i, value in packet.properties if i in ON_MESSAGE)
    expiry_s = properties.number(kept, Property.MESSAGE_EXPIRY, -1)
    ends_s = now_s + expiry_s if expiry_s >= 0 else None
    return Message(replace(packet, dup=False, mid=0, properties=kept), ends_s)


def _for(message: Message, wish: Wish) -> Message:
    packet = message.publish
    retain = packet.retain and wish.retain_as_published
    return replace(message, publish=replace(packet, qos=min(packet.qos, wish.qos), retain=retain))
