"""Families: forming, joining, leaving, a new head. Membership is dated; nobody is in two families on one day.

The death of a head does not end a family, nor its aid: a new head is chosen.
"""

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from uuid import UUID

from kit.machine import SYSTEM, Context, Move, Reason, Refusal, find

HEAD = 1
"""SHDK 1, kepala keluarga; 2 husband, 3 wife, 4 child, 5 child-in-law, 6 grandchild, 7 parent, 8 parent-in-law, 9 other
kin, 10 servant, 11 other (domain.md 2.2)."""
MAX_MEMBERS = 40


class State(StrEnum):
    ACTIVE = "active"
    DISSOLVED = "dissolved"  # nobody is left
    VOID = "void"  # entered by mistake


class LeaveReason(StrEnum):
    """Why somebody leaves a family."""

    DEATH = "death"
    MARRIAGE = "marriage"
    MOVE = "move"
    DIVORCE = "divorce"
    CORRECTION = "correction"


@dataclass(frozen=True, slots=True)
class Member:
    person_id: UUID
    shdk: int
    since: date | None


@dataclass(frozen=True, slots=True)
class Family:
    """An active family with its members of today."""

    state: State
    members: tuple[Member, ...] = ()

    @property
    def head(self) -> UUID | None:
        """The head of family (kepala keluarga), if there is one now."""
        return next((m.person_id for m in self.members if m.shdk == HEAD), None)

    def member(self, person_id: UUID) -> Member | None:
        """The membership of this person today."""
        return next((m for m in self.members if m.person_id == person_id), None)


@dataclass(frozen=True, slots=True)
class Form:
    """Form a family. `elsewhere`: those of the members who are in another family on that day."""

    members: tuple[Member, ...]
    elsewhere: frozenset[UUID] = frozenset()


@dataclass(frozen=True, slots=True)
class Join:
    member: Member
    elsewhere: frozenset[UUID] = frozenset()


@dataclass(frozen=True, slots=True)
class Leave:
    person_id: UUID
    on: date
    reason: LeaveReason


@dataclass(frozen=True, slots=True)
class ChangeHead:
    """Make a member the head; the former head gets the relation `former_shdk` to the new one."""

    person_id: UUID
    former_shdk: int
    on: date


Command = Form | Join | Leave | ChangeHead


def one_head(_: Family | None, command: Form, __: Context) -> Reason | None:
    """A family is formed with exactly one head."""
    return None if sum(m.shdk == HEAD for m in command.members) == 1 else Reason("satu_kepala_keluarga")


def each_once(_: Family | None, command: Form, __: Context) -> Reason | None:
    """Nobody is named twice."""
    return None if len({m.person_id for m in command.members}) == len(command.members) else Reason("anggota_ganda")


def free_to_join(_: Family | None, command: Form | Join, __: Context) -> Reason | None:
    """Nobody is in two families on one day; the other one is left first."""
    return Reason("sudah_anggota") if command.elsewhere else None


def not_in_the_future(_: Family | None, command: Command, ctx: Context) -> Reason | None:
    """Membership is told of when it has happened."""
    days = (
        [m.since for m in command.members]
        if isinstance(command, Form)
        else [command.member.since if isinstance(command, Join) else command.on]
    )
    return Reason("tanggal_di_masa_depan") if any(d is not None and d > ctx.today for d in days) else None


def not_a_member(family: Family, command: Join, _: Context) -> Reason | None:
    """Who is in the family does not join it again."""
    return Reason("sudah_anggota") if family.member(command.member.person_id) else None


def no_second_head(family: Family, command: Join, _: Context) -> Reason | None:
    """A family with a head takes another by change_head only."""
    return Reason("kepala_sudah_ada") if command.member.shdk == HEAD and family.head else None


def room_left(family: Family, _: Join, __: Context) -> Reason | None:
    """A family of more than 40 is a mistake of entry."""
    return Reason.of("keluarga_terlalu_besar", limit=MAX_MEMBERS) if len(family.members) >= MAX_MEMBERS else None


def a_member(family: Family, command: Leave | ChangeHead, _: Context) -> Reason | None:
    """Only who is in the family leaves it or becomes its head."""
    return None if family.member(command.person_id) else Reason("bukan_anggota")


def after_joining(family: Family, command: Leave | ChangeHead, _: Context) -> Reason | None:
    """Nobody leaves, or takes over, before joining."""
    member = family.member(command.person_id)
    early = member is not None and member.since is not None and command.on < member.since
    return Reason("sebelum_menjadi_anggota") if early else None


def head_leaves_last_or_dead(family: Family, command: Leave, _: Context) -> Reason | None:
    """A living head hands over first; a death leaves the family without one until a new head is chosen."""
    leaves = family.head == command.person_id and len(family.members) > 1 and command.reason is not LeaveReason.DEATH
    return Reason("kepala_tidak_boleh_keluar") if leaves else None


def another_head(family: Family, command: ChangeHead, _: Context) -> Reason | None:
    """The head does not become head again."""
    return Reason("sudah_kepala_keluarga") if family.head == command.person_id else None


def nobody_is_left(family: Family, _: Leave, __: Context) -> Reason | None:
    """The last one closes the door."""
    return None if len(family.members) == 1 else Reason("masih_ada_anggota")


def somebody_is_left(family: Family, _: Leave, __: Context) -> Reason | None:
    """Others stay; the last one would dissolve the family."""
    return Reason("anggota_terakhir") if len(family.members) == 1 else None


CLERKS = frozenset({"op_desa", "op_kec", "op_kab", "verifikator", SYSTEM})
_A = State.ACTIVE
_LEAVE = (a_member, not_in_the_future, after_joining, head_leaves_last_or_dead)

MOVES: tuple[Move[State], ...] = (
    Move(None, Form, _A, CLERKS, (one_head, each_once, free_to_join, not_in_the_future), "family.formed"),
    Move(_A, Join, _A, CLERKS, (not_a_member, no_second_head, room_left, free_to_join, not_in_the_future), "family.member_joined"),
    Move(_A, Leave, _A, CLERKS, (*_LEAVE, somebody_is_left), "family.member_left"),
    Move(_A, Leave, State.DISSOLVED, CLERKS, (*_LEAVE, nobody_is_left), "family.member_left"),
    Move(_A, ChangeHead, _A, CLERKS, (a_member, another_head, not_in_the_future, after_joining), "family.head_changed"),
)  # fmt: skip


def decide(family: Family | None, command: Command, ctx: Context) -> tuple[Family, str | None] | Refusal:
    """The family after the command and the event that tells of it, or the refusal with every reason."""
    match find(MOVES, None if family is None else family.state, command, family, ctx):
        case Refusal() as refusal:
            return refusal
        case Move(target=target, event=event):
            return replace(_after(family, command), state=target), event


def _after(family: Family | None, command: Command) -> Family:
    members = family.members if family else ()
    match command:
        case Form(members=formed):
            return Family(State.ACTIVE, formed)
        case Join(member=member):
            return Family(State.ACTIVE, (*members, member))
        case Leave(person_id=person_id):
            return Family(State.ACTIVE, tuple(m for m in members if m.person_id != person_id))
        case ChangeHead(person_id=person_id, former_shdk=former, on=on):
            changed = {person_id: HEAD} | ({family.head: former} if family and family.head else {})
            return Family(
                State.ACTIVE,
                tuple(
                    replace(m, shdk=changed[m.person_id], since=on) if m.person_id in changed else m for m in members
                ),
            )
