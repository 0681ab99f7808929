"""Commands, a file per family. Each exits non-zero with one clear line on bad input."""

from __future__ import annotations

from flask import Flask


def register(app: Flask) -> None:
    """Add every family of commands to the application."""
    from . import (
        backup,
        demo,
        doctor,
        endpoints,
        hooks,
        imports,
        keys,
        ledger,
        links,
        mailers,
        photo_lists,
        policy,
        purposes,
        recipients,
        requests,
        retention,
        setup,
        sign_up,
        staff,
        takedowns,
        training_cancel,
        trainings,
        worker,
    )
    from .one_line import answer_in_one_line

    app.cli.add_command(setup.setup)
    app.cli.add_command(ledger.ledger)
    app.cli.add_command(backup.backup)
    app.cli.add_command(backup.restore)
    app.cli.add_command(keys.keys)
    app.cli.add_command(purposes.purposes)
    app.cli.add_command(policy.policy)
    app.cli.add_command(imports.imports)
    app.cli.add_command(mailers.mailers)
    app.cli.add_command(hooks.hooks_group)
    app.cli.add_command(endpoints.endpoints)
    app.cli.add_command(recipients.recipients)
    app.cli.add_command(retention.retention)
    app.cli.add_command(links.links)
    app.cli.add_command(sign_up.forms)
    app.cli.add_command(staff.staff)
    for command in (training_cancel.cancel, photo_lists.list_photos, photo_lists.check_photos):
        trainings.trainings.add_command(command)
    app.cli.add_command(trainings.trainings)
    app.cli.add_command(takedowns.takedowns)
    app.cli.add_command(requests.requests)
    app.cli.add_command(worker.worker)
    app.cli.add_command(demo.demo)
    app.cli.add_command(doctor.doctor)
    answer_in_one_line(app.cli)
