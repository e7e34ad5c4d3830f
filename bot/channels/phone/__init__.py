"""The phone: calls over any line, one loop that decides who speaks, whoever answers behind it.

line (sip, media_socket, audiosocket) -> Call -> Conductor -> loop.CallLoop
                                              |-> VoiceDetector, Recogniser, Speaker, Assistant (ports)
"""
