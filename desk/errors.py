"""What the desk refuses: a machine-readable code, an HTTP status and one Chinese sentence for the agent.

DeskError (a SurfaceError; BadRequest, CrossSite and TooFast are refused by every surface)
├── NoSession             no cookie, an unknown, an expired or a replaced one
├── LoginRefused          wrong user name or password; tries_left
├── LoginLocked           too many wrong tries; locked_until
├── SeatLocked            the log-in is locked until the password is typed again
├── NotYours              another agent, the assistant or nobody holds this conversation
├── NotAllowed            the agent's role does not include it
├── ReadOnly              an auditor looks and does nothing
├── ColleagueAway         the colleague or team cannot take a customer now
├── ForTeam               a colleague has passed this customer to another team
├── Refused               the hub says no, with its own reason
├── NotThere              no such conversation, ticket or agent
├── AgentInvalid          an agent that cannot be taken on or changed like this
├── NoCall                the customer is not on the telephone, or not with this process
├── ClaimLost             a colleague was faster, or the customer waits no more
├── NotOnDuty             one takes customers only while on duty
├── FullyLoaded           the agent already serves as many customers as allowed
├── NotCertified          only agents with a certification may serve this customer
├── OfferedElsewhere      the customer is being offered to a colleague
├── ConversationOver      the conversation has ended
├── TicketFinished        the ticket was finished before
├── ReplyTaken            another canned reply has this shortcut
├── TicketTaken           a colleague works on the ticket
├── NotToBeSettled        whom the agent had on the phone decides nothing here
└── Unavailable           something broke on our side; trying again is safe

TicketInvalid (an InvalidInput of the bank's, since the customer reads it): a ticket that cannot be filed.
"""

from __future__ import annotations

from banking_core.errors import InvalidInput
from bot.surfaces.errors import SurfaceError


class DeskError(SurfaceError):
    """Root of what only the desk refuses."""

    code = "desk_error"


class NoSession(DeskError):
    """There is no live session behind the cookie."""

    code = "no_session"
    status = 401
    default_text = "登录已经失效，请重新登录。"


class LoginRefused(DeskError):
    """User name or password is wrong; the two are not told apart."""

    code = "login_refused"
    status = 401
    default_text = "用户名或密码不对。"


class LoginLocked(DeskError):
    """Too many wrong tries for this user name."""

    code = "login_locked"
    status = 423
    default_text = "密码错误次数太多，这个账号暂时锁定，请稍后再试或联系主管。"


class SeatLocked(DeskError):
    """No input for too long, or locked by the agent; whose seat it is is in the details."""

    code = "seat_locked"
    status = 423
    default_text = "坐席台已锁定，请输入密码继续。"


class NotYours(DeskError):
    """The agent does not hold this conversation."""

    code = "not_yours"
    status = 403
    default_text = "这位客户现在不由您接待，不能查看或回复。"


class NotAllowed(DeskError):
    """The role does not include this."""

    code = "not_allowed"
    status = 403
    default_text = "这一步需要主管权限。"


class ReadOnly(DeskError):
    """Auditors look; they do nothing."""

    code = "read_only"
    status = 403
    default_text = "审计账号只能查看，不能操作。"


class ColleagueAway(DeskError):
    """Nobody there who could take the customer."""

    code = "colleague_away"
    status = 409
    default_text = "这位同事现在接不了客户，请换一位。"


class ForTeam(DeskError):
    """Passed to a team that has somebody on duty."""

    code = "for_team"
    status = 409
    default_text = "这位客户转给了别的小组，请由组里的同事接待。"


class Refused(DeskError):
    """A refusal of the hub's with words of its own."""

    code = "refused"
    status = 409


class NotThere(DeskError):
    """No such conversation or ticket."""

    code = "not_found"
    status = 404
    default_text = "没有找到这一项，可能已经处理完了。"


class AgentInvalid(DeskError):
    """A user name, password, role or code that no agent can have; said to the operator."""

    code = "agent_invalid"
    default_text = "坐席的资料不对，没有改动。"


class NoCall(DeskError):
    """There is no telephone call to hear."""

    code = "no_call"
    status = 404
    default_text = "这位客户现在不在电话上。"


class ClaimLost(DeskError):
    """Somebody was faster, or the customer left the queue."""

    code = "claim_lost"
    status = 409
    default_text = "这位客户已经不在排队了。"


class NotOnDuty(DeskError):
    """Customers are taken on duty only."""

    code = "not_on_duty"
    status = 409
    default_text = "您现在不在岗，请先切换到“在岗”再接客户。"


class FullyLoaded(DeskError):
    """The agent's load is at its limit."""

    code = "fully_loaded"
    status = 409
    default_text = "您接待的客户已经满了，请先结束一位再接。"


class NotCertified(DeskError):
    """The matter is for agents who are certified for it."""

    code = "not_certified"
    status = 403
    default_text = "这类客户要由有认证的同事接待。"


class OfferedElsewhere(DeskError):
    """A colleague has been offered this customer and may take them first."""

    code = "offered_elsewhere"
    status = 409
    default_text = "系统正把这位客户派给同事，请稍等或先接下一位。"


class ConversationOver(DeskError):
    """The conversation has ended."""

    code = "closed"
    status = 409
    default_text = "这次会话已经结束。"


class TicketFinished(DeskError):
    """The ticket was finished before."""

    code = "ticket_finished"
    status = 409
    default_text = "这张工单已经办结了。"


class ReplyTaken(DeskError):
    """Another canned reply for the same people has this shortcut."""

    code = "reply_taken"
    status = 409
    default_text = "这个快捷词已经有了，请换一个。"


class TicketTaken(DeskError):
    """A colleague works on the ticket."""

    code = "ticket_taken"
    status = 409
    default_text = "有同事正在处理这张工单。"


class NotToBeSettled(DeskError):
    """Not the bank's own ticket, not called by this agent, or an agent who may not decide it."""

    code = "not_to_be_settled"
    status = 403
    default_text = "客户自己留的工单不能用来解除限制或锁定账户，请按银行发起的工单回电。"


class Unavailable(DeskError):
    """Something failed on our side."""

    code = "unavailable"
    status = 500
    default_text = "系统刚才没有处理成功，请稍后再试，不会重复提交。"


class TicketInvalid(InvalidInput):
    """The ticket has no usable phone number or no content."""

    code = "ticket_invalid"
    default_customer_text = "工单还缺一个能联系到您的电话或事情的说明，请补充后再试。"
