"""Upload the folder of an export to the Hugging Face Hub, with the login of the user."""

from __future__ import annotations

import shlex
from pathlib import Path

from denas_core.errors import ConfigError
from denas_core.pretrained.files import is_hub_id
from denas_core.system.extras import require_extra
from denas_core.text import describe_error


def check_repository(name: str) -> None:
    """Check the name of a repository before anything is written.

    Raises:
        ConfigError: it is not of the form ``owner/name``.
    """
    if not is_hub_id(name):
        raise ConfigError(
            f"--push {name!r} is not the name of a model on the Hugging Face Hub; write it as ORG/NAME"
        )


def push(directory: Path, name: str, *, private: bool = False) -> str:
    """Upload a folder as the model `name`, which is created if it does not exist, and return its address.

    Args:
        directory: The folder of an export.
        name: The name of the model, ``owner/name``.
        private: Whether a new model is visible only to its owner.

    Raises:
        ConfigError: the user has not logged in, the hub cannot be reached, or it refuses. The folder stays.
    """
    require_extra("train", "huggingface_hub", purpose="an upload to the Hugging Face Hub")
    from huggingface_hub import HfApi, get_token
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    later = (
        f"the export is complete in {str(directory)!r}; upload it later with: "
        f"hf upload {name} {shlex.quote(str(directory))}"
    )
    if get_token() is None:
        raise ConfigError(
            f"--push needs your login at the Hugging Face Hub: run 'hf auth login', or set HF_TOKEN; {later}"
        )
    api = HfApi(library_name="denas")
    try:
        api.create_repo(name, private=private or None, exist_ok=True)
        done = api.upload_folder(
            repo_id=name, folder_path=directory, commit_message="Upload a network that DE-NAS exported"
        )
    except OfflineModeIsEnabled as error:
        raise ConfigError(f"--push needs the network, and HF_HUB_OFFLINE is set; {later}") from error
    except HfHubHTTPError as error:
        raise ConfigError(
            f"the Hugging Face Hub refuses {name!r}: {describe_error(error, 200)}; {later}"
        ) from error
    # What a network failure raises depends on the library that the hub's library uses.
    except Exception as error:
        raise ConfigError(
            f"the upload to the Hugging Face Hub failed: {describe_error(error, 200)}; {later}"
        ) from error
    return f"{api.endpoint}/{done.repo_url.repo_id if done.repo_url else name}"
