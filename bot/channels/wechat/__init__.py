"""WeChat Official Account: messages in and out over Tencent's own protocol."""
