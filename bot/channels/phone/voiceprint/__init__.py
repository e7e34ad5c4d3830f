"""Who is speaking: speaker embeddings, their scores, and what a recording is worth before it is scored.

listener.Voiceprint.load(setting)    quality(pcm) -> Quality, embed(pcm) -> Embedding, enrol(embeddings) -> Template,
                                     score(template, embedding, now) -> Verdict, adapt(template, embedding, now)
template.Template                    to_bytes, from_bytes: encrypt them
replay.fingerprint, replay.find      was this recording heard before
errors                               VoiceRefused and VoiceprintFailed, in bot.channels.phone.errors
"""
