"""Personal data: what of it may be seen, and where."""

from banking_core.privacy.logs import MaskingFormatter, mask_log_text, mask_logs

__all__ = ["MaskingFormatter", "mask_log_text", "mask_logs"]
