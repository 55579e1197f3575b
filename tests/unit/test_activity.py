"""What is declared about an activity, once, and what follows from it."""

from typing import Annotated

import pytest
from pydantic import ValidationError

from domain.activity import Activity, Catalogue, Declarations, Details
from domain.effect import Effect, becomes, begins, ends
from domain.errors import UnreadableEvent
from domain.values import PERSONAL, Count, Name, Timestamp
from domain.words import Module, Status

crates = Declarations(Module.KEY_AUTOMATION)


@crates("SealHeavyCrate", "crate.sealed", "crate", "sealed {entity} for good", ends("sealed"), "1.2")
class CrateSealed(Details):
    """A crate was sealed,
    for good.
    """

    seals: Count
    sealed_on: Timestamp
    witness: Annotated[Name | None, PERSONAL] = None
    keeper: Annotated[Name, PERSONAL] = "nobody"


@crates("OpenCrate", "crate.opened", "crate", "opened {entity}")
class CrateOpened(Details):
    """A crate was opened."""


SEALED, OPENED = crates.activities


class TestDeclaration:
    def test_an_activity_is_all_that_was_declared(self) -> None:
        """In the order of the declarations, under the name of the class."""
        assert (
            Activity(
                "SealHeavyCrate",
                "crate.sealed",
                Module.KEY_AUTOMATION,
                "crate",
                Effect("sealed", ends=True),
                "sealed {entity} for good",
                CrateSealed,
                "1.2",
            )
            == SEALED
        )
        assert (SEALED.event_type, OPENED.event_type) == ("CrateSealed", "CrateOpened")
        assert SEALED.description == "A crate was sealed, for good."

    def test_an_activity_touches_its_entity_unless_more_is_declared(self) -> None:
        """Its state stays."""
        assert OPENED.effect == Effect()
        assert OPENED.clause is None

    def test_effects_say_what_the_entity_becomes(self) -> None:
        """And whether its life begins or ends with it."""
        assert begins("new") == Effect("new", begins=True)
        assert becomes("used") == Effect("used")
        assert ends("gone") == Effect("gone", ends=True)

    def test_details_that_name_a_person_are_found_by_their_mark(self) -> None:
        """Whether they may be missing or not."""
        assert SEALED.personal_details == ("witness", "keeper")
        assert OPENED.personal_details == ()


class TestDetails:
    def test_a_success_needs_what_is_declared(self) -> None:
        """What has no default must be there."""
        assert SEALED.details_for(Status.SUCCESS) is CrateSealed
        with pytest.raises(ValidationError, match="2 validation errors"):
            CrateSealed.model_validate({})

    def test_a_failure_needs_nothing_but_types_hold(self) -> None:
        """What was never reached is missing or null; what was, is of its type, and nothing else is taken."""
        attempted = SEALED.details_for(Status.FAILURE)
        assert attempted is SEALED.details_for(Status.FAILURE)
        assert attempted.model_validate({"seals": None}).model_dump(exclude_unset=True) == {"seals": None}
        assert attempted.model_fields.keys() == CrateSealed.model_fields.keys()
        for wrong in ({"seals": -1}, {"seals": True}, {"sealed_on": "today"}, {"lid": "shut"}):
            with pytest.raises(ValidationError):
                attempted.model_validate(wrong)

    def test_details_do_not_change(self) -> None:
        """They are facts."""
        details = CrateOpened()
        with pytest.raises(ValidationError, match="frozen"):
            details.lid = "shut"  # type: ignore[attr-defined]


class TestDescription:
    def test_a_success_is_one_sentence(self) -> None:
        """Who did what to what."""
        assert SEALED.describe("Asha", "crate 7", None) == "Asha sealed crate 7 for good"

    def test_a_failure_says_what_was_tried_and_why_it_failed(self) -> None:
        """The command's name in words, the reason and the code."""
        failed = SEALED.describe("Asha", "crate 7", {"code": "denied", "reason": "not hers"})
        assert failed == "Asha failed to seal heavy crate crate 7: not hers (denied)"

    def test_braces_in_a_name_are_only_braces(self) -> None:
        """A name is never taken for a template."""
        assert OPENED.describe("{actor}", "{entity} {0}", None) == "{actor} opened {entity} {0}"


class TestCatalogue:
    catalogue = Catalogue(crates.activities)

    def test_an_activity_is_found_by_each_name(self) -> None:
        """By its command, its name and its event's type, and by nothing else."""
        assert self.catalogue.of_command("OpenCrate") is OPENED
        assert self.catalogue.named("crate.opened") is OPENED
        assert self.catalogue.of_type("CrateOpened") is OPENED
        assert self.catalogue.of_command("CrateOpened") is None
        assert self.catalogue.named("OpenCrate") is None
        with pytest.raises(UnreadableEvent, match=r"'crate\.opened' is unknown"):
            self.catalogue.of_type("crate.opened")

    def test_it_is_listed_in_its_order(self) -> None:
        """All of them, once."""
        assert list(self.catalogue) == [SEALED, OPENED]
        assert len(self.catalogue) == 2

    @pytest.mark.parametrize(
        ("command", "name", "details", "message"),
        [
            ("OpenCrate", "crate.other", CrateSealed, "OpenCrate is declared twice"),
            ("OtherCrate", "crate.opened", CrateSealed, "crate.opened is declared twice"),
            ("OtherCrate", "crate.other", CrateOpened, "CrateOpened is declared twice"),
        ],
    )
    def test_a_name_is_declared_once(self, command: str, name: str, details: type[Details], message: str) -> None:
        """Whichever of its names two activities share."""
        other = Declarations(Module.ADMINISTRATION)
        other(command, name, "crate", "did {entity}")(details)
        with pytest.raises(ValueError, match=message):
            Catalogue([OPENED, *other.activities])
