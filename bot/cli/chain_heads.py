"""Files of chain heads, for the commands that check a hash chain against what was written down elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from banking_core.ledger import Head, LedgerPostingInvalid
from banking_core.ledger.heads import dump_heads, heads_digest, load_heads


def read_heads_file(path: Path | None, made_by: str) -> tuple[Head, ...] | None:
    """The heads of a file that the command `made_by` wrote, none without a path; None, said on the screen, when
    they cannot be read."""
    if path is None:
        return ()
    try:
        return load_heads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, LedgerPostingInvalid):
        click.echo(f"读不出链头文件：{path}（用“{made_by} 文件”生成）。")
        return None


def write_heads_file(path: Path, heads: Sequence[Head]) -> bool:
    """Writes heads to a new file; False, said on the screen, when the path is taken or cannot be written."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(dump_heads(heads))
    except OSError as error:
        click.echo(f"写不了 {path}：{error.strerror}。请换一个新文件名。")
        return False
    click.echo(f"链头已写入 {path}，摘要 {heads_digest(heads)}。请存到数据库之外。")
    return True
