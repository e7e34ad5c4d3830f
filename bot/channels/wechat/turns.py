"""What each kind of message means: words for the hub, or an answer of the channel's own, said once per message."""

from __future__ import annotations

import logging
import re
from dataclasses import replace

from actions.branches import BRANCH_FIND, nearest_reply
from bot.channels.phone.expecting import expected
from bot.channels.wechat import contacts
from bot.channels.wechat.bindings import Bindings
from bot.channels.wechat.chosen import chosen
from bot.channels.wechat.dependencies import WechatDependencies
from bot.channels.wechat.errors import RecordingRefused, RecordingTooLong, WechatError
from bot.channels.wechat.messages import (
    Click,
    Content,
    Image,
    Link,
    Location,
    Message,
    Other,
    Scan,
    Subscribe,
    TemplateSent,
    Text,
    Unsubscribe,
    View,
    Voice,
)
from bot.channels.wechat.texts import SPOKEN_TO_AGENT, voice_key
from bot.conversation.errors import MessageTooLong
from bot.conversation.pictures import PICTURE, Pictures
from bot.conversation.scans import PICTURE_OF_CODE, UNREADABLE, judged
from bot.conversation.views import Inbound
from bot.dialogue.by_ear import ByEar
from bot.dialogue.reply import Reply, choices
from bot.surfaces.bodies import is_storable
from bot.surfaces.codes import PictureRefused

log = logging.getLogger(__name__)
BIND = re.compile(r"绑定(微信|账户|账号|银行卡)?|微信绑定|登录绑定")
UNBIND = re.compile(r"解绑(微信|账户|账号)?|(解除|取消)(微信)?绑定")
LOGIN_WORDS = "登录"
SPEEX = "speex"
HEARD_FORMATS = ("", "amr", SPEEX)
_RATING = re.compile(r"(?:评价|打分)?([1-5])(?:分|星)?")
BRANCHES_MAX = 5
LATEST = 10  # messages that are looked at for what was asked last

WELCOME = (
    "您好，我是掌柜银行的小掌柜。想办什么直接说，比如“查余额”“给张三转五百”。"
    "第一次用请先说“绑定”，在安全页面登录；密码和验证码请不要发在聊天里。"
)
NOT_HEARD = "没有听清这段语音，请再说一遍，或者打字告诉我。"
TOO_LONG = "这段语音太长，我听不完。请用一两句话再说一遍，或者打字告诉我。"
OTHER_FORMAT = "这种高清语音我还听不了，再说一遍也一样。请打字告诉我，或者发普通语音。"
NOT_SEEN = "这种消息我还看不懂，请把您要办的事打字告诉我，或者说“转人工”。"
PICTURE_KEPT = (
    "图片收到了，里面没有收款码，别的我看不懂。要同事看请说“转人工”，他接手就能看到；要办业务请打字告诉我。"
)
PICTURE_WAITS = "图片收到了，同事接通就能看到。"
PICTURE_LOST = "这张图片没有收下来，请过一会儿再发一次（每天最多10张，每张4MB以内），或者打字告诉我。"
NO_LINKS = "链接我打不开，也请您不要轻信别人发来的链接。要办什么请打字告诉我。"
UNBOUND = "微信绑定已经解除，这里不会再显示您的账户。需要时说“绑定”可以再绑。"
THANKS = "谢谢您的评价。"
NOT_BOUND = "这个微信还没有绑定账户。要绑定请说“绑定”。"
BINDING_OVER = (
    "您的微信绑定已经失效，可能是因为改过密码、锁过账户，或者绑定得太久。要继续办业务请说“绑定”重新登录。"
)
OLD_CHOICE = "您点的是之前的选项，已经过时，没有算数。请看最近的问题再选，或者打字告诉我。"
BEGIN = choices("绑定", "查余额", "转人工")
TEMPLATE_RESULTS = {"success": "ok", "failed:user block": "user_block", "failed: system failed": "failed"}
TO_AGENT = {Voice: SPOKEN_TO_AGENT, Other: "[不支持的消息]"}


class Turns:
    """Handles one message; doing it again changes nothing, because everything goes by the message's key."""

    def __init__(self, deps: WechatDependencies, bindings: Bindings) -> None:
        self._deps, self._hub, self._bindings = deps, deps.hub, bindings
        self._pictures = Pictures(deps.database, deps.clock)

    async def handle(self, contact_id: str, message: Message) -> None:
        """Everything that follows from a message but the sending of replies."""
        content = message.content
        match content:
            case Unsubscribe():
                await self._bindings.unbind(contact_id, "unfollowed")
                return
            case TemplateSent():
                self._template_sent(content)
                return
            case View() | Other(is_event=True):
                return
        await self._end_what_no_longer_holds(contact_id, message)
        conversation_id = await self._bindings.attach(contact_id)
        match content:
            case Text():
                await self._typed(contact_id, conversation_id, message, content)
            case Click():
                await self._text(contact_id, conversation_id, message, content.key)
            case Scan() | Subscribe() if content.scene == "bind":
                await self._text(contact_id, conversation_id, message, LOGIN_WORDS)
            case Subscribe():
                await self._say(conversation_id, message, Reply(WELCOME, choices=BEGIN))
            case Location():
                near = await self._near(content)
                await self._hub.announce(conversation_id, near, f"said:{message.key}", answers=BRANCH_FIND)
            case Voice():
                await self._voice(contact_id, conversation_id, message, content)
            case Image():
                await self._picture(contact_id, conversation_id, message, content)
            case Link() | Other():
                await self._unreadable(conversation_id, message, content)

    def _template_sent(self, result: TemplateSent) -> None:
        """What became of a template message: counted, and logged when the customer did not get it."""
        outcome = TEMPLATE_RESULTS.get(result.status, "failed")
        self._deps.metrics.sent.labels("template_result", outcome).inc()
        if outcome != "ok":
            log.warning("code=template_not_delivered why=%s message=%s", outcome, result.message_id)

    async def _text(
        self,
        contact_id: str,
        conversation_id: str,
        message: Message,
        text: str,
        by_ear: ByEar | None = None,
    ) -> None:
        text = text.strip()
        if not text or not is_storable(text):
            return
        if UNBIND.fullmatch(text) and (await self._hub.status(conversation_id)).owner != "agent":
            gone = await self._bindings.unbind(contact_id, "asked")
            reply = Reply(UNBOUND if gone else NOT_BOUND, choices=choices("绑定"))
            await self._say(await self._bindings.attach(contact_id), message, reply)
            return
        rating = _RATING.fullmatch(text)
        if rating is not None and await self._hub.rate(conversation_id, int(rating[1]), ""):
            await self._say(conversation_id, message, Reply(THANKS))
            return
        if BIND.fullmatch(text):
            text = LOGIN_WORDS
        origin = contacts.origin_of(message.openid)
        try:
            await self._hub.receive(Inbound(conversation_id, message.key, text, origin=origin, by_ear=by_ear))
        except MessageTooLong as error:
            await self._say(conversation_id, message, Reply(error.customer_text))

    async def _typed(self, contact_id: str, conversation_id: str, message: Message, content: Text) -> None:
        """Words, or a choice that was tapped, perhaps one that nobody asks about any more."""
        found = await chosen(self._hub, conversation_id, content)
        if found.instead is not None and (await self._hub.status(conversation_id)).owner == "bot":
            await self._say(conversation_id, message, Reply(OLD_CHOICE, choices=found.instead))
            return
        await self._text(contact_id, conversation_id, message, found.words)

    async def _voice(self, contact_id: str, conversation_id: str, message: Message, voice: Voice) -> None:
        heard, trouble = ByEar(voice.recognition), NOT_HEARD
        if not heard.text and voice.format not in HEARD_FORMATS:
            log.warning("code=voice_format a voice message in %r", voice.format)
            trouble = OTHER_FORMAT
        elif not heard.text:
            try:
                heard = await self._heard(conversation_id, voice)
            except RecordingTooLong:
                trouble = TOO_LONG
            except RecordingRefused as error:
                log.warning("code=%s a voice message in %r: %s", error.code, voice.format, error)
                trouble = OTHER_FORMAT if voice.format == SPEEX else NOT_HEARD
            except WechatError as error:
                log.warning("code=%s a voice message was not understood", error.code)
        if not heard.text:
            await self._unreadable(conversation_id, message, voice, trouble)
            return
        words = heard.text
        if (await self._hub.status(conversation_id)).owner == "agent":
            words = f"{SPOKEN_TO_AGENT} {words}"  # so that they know it was heard by a machine
        spoken = replace(message, key=voice_key(message.key))
        await self._text(contact_id, conversation_id, spoken, words, heard)

    async def _heard(self, conversation_id: str, voice: Voice) -> ByEar:
        """What was said, understood as a call would understand it at this point of the conversation."""
        recording = await self._deps.api.media(voice.media_id)
        status = await self._hub.status(conversation_id)
        latest = await self._hub.history(conversation_id, limit=LATEST)
        at = max((n for n, said in enumerate(latest) if said["sender"] == "customer"), default=-1)
        said = latest[at + 1 :] if status.owner == "bot" else []
        offered = tuple(str(choice["say"]) for choice in said[-1]["choices"]) if said else ()
        names = await self._deps.vocabulary(status.customer_id) if status.customer_id else ()
        expect = expected(status.expects, {each["card"]["kind"] for each in said if each["card"]}, offered)
        return await self._deps.voice.hear(recording, expect, (*offered, *names))

    async def _picture(self, contact_id: str, conversation_id: str, message: Message, image: Image) -> None:
        """A receiving code in it is paid, and then nothing of the picture is kept.

        Any other is kept for a human, who sees it in the log now or when they have the customer; the sender is told
        which.
        """
        content = None
        try:
            content = await self._deps.api.media(image.media_id)
        except WechatError as error:
            log.warning("code=%s a picture was not fetched", error.code)
        owner = (await self._hub.status(conversation_id)).owner
        if content is not None and owner in ("bot", "closed"):
            found = await self._code_in(content)
            if isinstance(found, str):
                await self._text(contact_id, conversation_id, message, found)
                return
            if found is not None:
                await self._hub.note_arrival(conversation_id, PICTURE_OF_CODE, message.key)
                await self._say(conversation_id, message, found)
                return
        kept = content is not None and await self._pictures.keep(conversation_id, message.key, content)
        if owner in ("agent", "queue"):
            await self._hub.receive(Inbound(conversation_id, message.key, PICTURE))
        elif kept:
            await self._hub.note_arrival(conversation_id, PICTURE, message.key)
        if owner == "agent" and kept:
            return
        waits = PICTURE_WAITS if owner == "queue" else PICTURE_KEPT
        offered = choices("转人工") if owner in ("bot", "closed") else ()
        await self._say(conversation_id, message, Reply(waits if kept else PICTURE_LOST, choices=offered))

    async def _code_in(self, picture: bytes) -> str | Reply | None:
        """What the codes in a picture are told as, or answered with; None for a picture without any."""
        try:
            return judged(await self._deps.codes.texts(picture))
        except PictureRefused as error:
            log.warning("code=%s a picture was not read: %s", error.code, error)
            return Reply(UNREADABLE, choices=choices("转人工"))

    async def _unreadable(
        self, conversation_id: str, message: Message, content: Content, trouble: str = NOT_SEEN
    ) -> None:
        """A human in charge sees that something came; otherwise the customer is asked to type."""
        status = await self._hub.status(conversation_id)
        if status.owner in ("agent", "queue"):
            text = f"[链接] {content.title[:100]}" if isinstance(content, Link) else TO_AGENT[type(content)]
            await self._hub.receive(Inbound(conversation_id, message.key, text.strip()))
            if status.owner == "agent" or isinstance(content, Link):
                return
        said = NO_LINKS if isinstance(content, Link) else trouble
        await self._say(conversation_id, message, Reply(said))

    async def _near(self, place: Location) -> Reply:
        """The branches nearest to the place; WeChat's degrees are those of the directory (GCJ-02)."""
        async with self._deps.database.snapshot() as session:
            at = (place.latitude, place.longitude)
            return await nearest_reply(session, self._deps.bank.branches, at, place.label, BRANCHES_MAX)

    async def _end_what_no_longer_holds(self, contact_id: str, message: Message) -> None:
        if await self._bindings.is_over(contact_id):
            await self._bindings.unbind(contact_id, "lapsed")
            conversation_id = await self._bindings.attach(contact_id)
            reply = Reply(BINDING_OVER, choices=choices("绑定"))
            await self._hub.announce(conversation_id, reply, f"lapsed:{message.key[:48]}")

    async def _say(self, conversation_id: str, message: Message, reply: Reply) -> None:
        await self._hub.announce(conversation_id, reply, f"said:{message.key}")
