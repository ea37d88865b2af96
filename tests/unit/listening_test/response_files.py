"""What tests of responses share."""

import json


def save(folder, name, answers):
    (folder / name).write_text(json.dumps(answers))


def reasons(responses):
    return [row.reason for row in responses.rejected]
