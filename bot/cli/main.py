"""`zhanggui`: run, chat, eval, bench, ledger, risk, doctor. Commands import what they need: `--help` stays quick."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.cli.agents import agents
from bot.cli.bench import bench
from bot.cli.evaluate import evaluate
from bot.cli.failures import run_async, settings_or_exit, vault_or_exit
from bot.cli.logs import start_logging
from bot.cli.risk import risk

if TYPE_CHECKING:
    from banking_core.vault import RingName


@click.group()
def cli() -> None:
    """掌柜：可以对话的银行柜台。"""


cli.add_command(agents)
cli.add_command(evaluate)
cli.add_command(bench)
cli.add_command(risk)


@cli.command()
def run() -> None:
    """训练（如有变化）、准备演示银行、启动全部服务。"""
    from bot.running.launcher import run as launch

    settings = settings_or_exit()
    start_logging(settings.log_level)
    run_async(launch(settings, click.echo))


@cli.command()
@click.option("--as", "phone", default=None, help="演示客户的手机号，直接以他的身份说话")
def chat(phone: str | None) -> None:
    """在终端里和小掌柜说话。"""
    from bot.cli.chat import chat_loop

    run_async(chat_loop(settings_or_exit(), phone))


@cli.command()
def serve() -> None:
    """只启动网页服务（理解服务要已经在运行）。"""
    from bot.running.standalone import serve_forever

    settings = settings_or_exit()
    start_logging(settings.log_level)
    run_async(serve_forever(settings))


@cli.command()
def nlu() -> None:
    """只启动理解服务，供别的进程使用（必要时先训练）。"""
    from bot.running.launcher import run_nlu

    settings = settings_or_exit()
    start_logging(settings.log_level)
    run_async(run_nlu(settings, click.echo))


@cli.command()
def prepare() -> None:
    """多个进程启动前做一次：升级表结构，需要时准备演示银行。"""
    from bot.running.launcher import prepare as get_ready

    settings = settings_or_exit()
    start_logging(settings.log_level)
    run_async(get_ready(settings, click.echo))


@cli.command()
def train() -> None:
    """训练理解模型；没有变化就跳过。"""
    from bot.running.errors import StartError
    from bot.running.nlu_service import train_if_needed

    try:
        train_if_needed(settings_or_exit().nlu_model_dir, click.echo)
    except StartError as error:
        click.echo(f"训练失败：{error}", err=True)
        sys.exit(2)


@cli.command()
def migrate() -> None:
    """把数据库升级到最新的表结构。"""
    from migrations.runner import upgrade

    settings = settings_or_exit()
    run_async(upgrade(settings.database_url, vault=vault_or_exit(settings)))


@cli.group()
def ledger() -> None:
    """账本。"""


@ledger.command()
@click.option("--heads", "heads_path", type=click.Path(path_type=Path), help="以前写出的链头文件，一并核对")
def verify(heads_path: Path | None) -> None:
    """逐笔核对账本：哈希链、余额、冻结、试算平衡。"""
    from bot.cli.ledger import verify_ledger

    sys.exit(0 if run_async(verify_ledger(settings_or_exit(), heads_path)) else 1)


@ledger.command()
@click.argument("path", type=click.Path(path_type=Path))
def heads(path: Path) -> None:
    """把链头写入文件，存到数据库之外，以后用 verify --heads 核对。"""
    from bot.cli.ledger import write_heads

    sys.exit(0 if run_async(write_heads(settings_or_exit(), path)) else 1)


@cli.group(invoke_without_command=True)
@click.option("--customer", metavar="手机号", help="只看这位客户的")
@click.option("--agent", metavar="用户名", help="只看这位坐席做的")
@click.option("--since", type=click.DateTime(), help="从这个时刻起（北京时间）")
@click.option("--until", type=click.DateTime(), help="到这个时刻为止（北京时间）")
@click.option("--before", type=int, help="接着看编号更小的")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="最多几条")
@click.option("--json", "as_json", is_flag=True, help="一个 JSON 对象")
@click.pass_context
def audit(
    context: click.Context,
    customer: str | None,
    agent: str | None,
    since: datetime | None,
    until: datetime | None,
    before: int | None,
    limit: int,
    as_json: bool,
) -> None:
    """审计记录：谁、在哪里、替谁、做了什么，最新的在前。"""
    from banking_core.clock import BANK_ZONE
    from bot.cli.audit import show_trail

    if context.invoked_subcommand is not None:
        return
    work = show_trail(
        settings_or_exit(),
        customer=customer,
        agent=agent,
        since=since.replace(tzinfo=BANK_ZONE) if since else None,
        until=until.replace(tzinfo=BANK_ZONE) if until else None,
        before=before,
        limit=limit,
        as_json=as_json,
    )
    sys.exit(0 if run_async(work) else 1)


@audit.command("verify")
@click.option("--heads", "heads_path", type=click.Path(path_type=Path), help="以前写出的链头文件，一并核对")
def audit_verify(heads_path: Path | None) -> None:
    """逐条核对审计记录的哈希链。"""
    from bot.cli.audit import verify_trail

    sys.exit(0 if run_async(verify_trail(settings_or_exit(), heads_path)) else 1)


@audit.command("heads")
@click.argument("path", type=click.Path(path_type=Path))
def audit_heads(path: Path) -> None:
    """把链头写入文件，存到数据库之外，以后用 verify --heads 核对。"""
    from bot.cli.audit import write_heads

    sys.exit(0 if run_async(write_heads(settings_or_exit(), path)) else 1)


@cli.group()
def customers() -> None:
    """客户的个人信息：导出、注销；账户的锁定和解除。"""


@customers.command()
@click.argument("phone", metavar="手机号")
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="写到这个新文件（JSON，权限 0600）"
)
def export(phone: str, out: Path) -> None:
    """把保存的全部个人信息导出给本人。"""
    from bot.cli.customers import export_customer

    sys.exit(0 if run_async(export_customer(settings_or_exit(), phone, out)) else 1)


@customers.command()
@click.argument("phone", metavar="手机号")
@click.option("--yes", is_flag=True, help="不再询问")
def erase(phone: str, yes: bool) -> None:
    """注销客户，销毁个人信息；有余额或没办完的业务时拒绝。不能撤销。"""
    from bot.cli.customers import erase_customer

    if not yes and not click.confirm("个人信息销毁后不能恢复，确定注销这位客户吗？"):
        sys.exit(1)
    sys.exit(0 if run_async(erase_customer(settings_or_exit(), phone)) else 1)


@customers.command()
@click.argument("phone", metavar="手机号")
@click.option("--reason", required=True, help="为什么锁定（写进审计）")
def freeze(phone: str, reason: str) -> None:
    """账户可能落到别人手里：停止登录和资金操作，结束所有会话。"""
    from bot.cli.customers import freeze_customer

    run_async(freeze_customer(settings_or_exit(), phone, reason))


@customers.command()
@click.argument("phone", metavar="手机号")
@click.option("--grounds", required=True, help="核实了什么（写进审计）")
def release(phone: str, grounds: str) -> None:
    """已核实是本人：解除锁定和其他安全限制。"""
    from bot.cli.customers import release_customer

    run_async(release_customer(settings_or_exit(), phone, grounds))


@cli.group()
def keys() -> None:
    """个人资料的密钥，和声纹自己的密钥。"""


RING = click.Choice(["data", "voice"])
WHICH_RING = "哪个密钥环：data 个人资料，voice 声纹"


@keys.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--ring", type=RING, default="data", show_default=True, help=WHICH_RING)
def init(path: Path, ring: RingName) -> None:
    """生成密钥文件（权限 0600）；已有的文件不动。"""
    from bot.cli.keys import make_key_file

    sys.exit(0 if make_key_file(path, ring) else 1)


@keys.command("list")
@click.option("--ring", type=RING, help=f"{WHICH_RING}；不写就是两个都列")
@click.option("--json", "as_json", is_flag=True, help="一个 JSON 对象")
def list_(ring: RingName | None, as_json: bool) -> None:
    """列出密钥：何时生成、哪一把在用、各加密了多少数据。"""
    from bot.cli.keys import list_keys

    run_async(list_keys(settings_or_exit(), ring, as_json=as_json))


@keys.command()
@click.option("--ring", type=RING, default="data", show_default=True, help=WHICH_RING)
def rotate(ring: RingName) -> None:
    """生成新密钥并分批重新加密，不用停机；中断后再运行会接着做。"""
    from bot.cli.keys import rotate_keys

    sys.exit(0 if run_async(rotate_keys(settings_or_exit(), ring)) else 1)


@keys.command("forget-voices")
@click.confirmation_option(prompt="打不开的声纹会销毁，那些客户要重新录。确定声纹的旧密钥找不回来了吗？")
def forget_voices_() -> None:
    """声纹的密钥丢了以后：销毁打不开的声纹、指纹和录音，别的不动。"""
    from bot.cli.keys import forget_voices

    run_async(forget_voices(settings_or_exit()))


@keys.command()
@click.argument("key_id")
def retire(key_id: str) -> None:
    """删除一把没有数据在用的旧密钥；用它加密的旧备份从此读不出来。"""
    from bot.cli.keys import retire_key

    sys.exit(0 if run_async(retire_key(settings_or_exit(), key_id)) else 1)


@cli.group(invoke_without_command=True)
@click.option("--days", type=click.IntRange(1, 366), default=30, show_default=True, help="看最近多少天")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="最多列多少条")
@click.option("--json", "as_json", is_flag=True, help="一个 JSON 对象")
@click.pass_context
def questions(context: click.Context, days: int, limit: int, as_json: bool) -> None:
    """客户问了、知识库没答上来的问题，问得多的在前。"""
    from bot.cli.questions import list_questions

    if context.invoked_subcommand is None:
        run_async(list_questions(settings_or_exit(), days, limit, as_json=as_json))


@questions.command()
@click.argument("fingerprint")
@click.option("--note", default="", help="怎么处理的，比如补了哪条知识")
def done(fingerprint: str, note: str) -> None:
    """标记一个问题已处理；以后再有人问会重新出现。"""
    from bot.cli.questions import settle_question

    sys.exit(0 if run_async(settle_question(settings_or_exit(), fingerprint, note)) else 1)


@cli.group()
def wechat() -> None:
    """微信公众号。"""


@wechat.command("menu")
def wechat_menu() -> None:
    """把菜单设置到公众号。"""
    from bot.cli.wechat import set_menu

    sys.exit(0 if run_async(set_menu(settings_or_exit())) else 1)


@wechat.command("simulate")
@click.option("--openid", default="oSimulatedFollower01", show_default=True, help="模拟哪位关注者")
@click.option("--settings", "show_settings", is_flag=True, help="只打印试用时要写进 zhanggui.toml 的设置")
@click.option("--api-port", default=8090, show_default=True, help="模拟器的端口，和 --settings 一起用")
def wechat_simulate(openid: str, show_settings: bool, api_port: int) -> None:
    """不用公众号也能试：在终端里模拟一位关注者和腾讯的接口。"""
    from bot.cli.wechat import example_settings, simulate

    settings = settings_or_exit()
    if show_settings:
        click.echo(example_settings(api_port, settings.port), nl=False)
        return
    sys.exit(0 if run_async(simulate(settings, openid)) else 1)


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="一个 JSON 对象")
def doctor(as_json: bool) -> None:
    """检查安装，说清楚哪里不对。"""
    from bot.cli.doctor import examine

    sys.exit(0 if examine(settings_or_exit(), as_json=as_json) else 1)


@cli.command()
@click.option("--markdown", is_flag=True, help="docs/settings.md 的内容")
def settings(markdown: bool) -> None:
    """列出每一项设置。"""
    from bot.cli.settings_page import page, plain

    click.echo(page() if markdown else plain(), nl=False)


def main() -> None:
    """Entry point of the `zhanggui` command."""
    cli(prog_name="zhanggui")
