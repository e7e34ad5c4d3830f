"""`zhanggui keys`: the keys of personal data."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from banking_core.vault import KeyFile


def make_key_file(path: Path) -> bool:
    """Makes a key file; False, and nothing is touched, when the path is taken or cannot be written."""
    try:
        made = KeyFile(path).create(datetime.now(UTC))
    except OSError as error:
        click.echo(f"写不了 {path}：{error.strerror}。", err=True)
        return False
    if not made:
        click.echo(f"{path} 已经存在，没有改动。", err=True)
        return False
    click.echo(f"密钥文件已生成：{path}。请另存一份：丢了它，个人资料就再也读不出来。")
    return True
