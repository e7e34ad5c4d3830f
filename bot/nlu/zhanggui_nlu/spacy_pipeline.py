"""The counter's own spaCy `zh` pipeline: character tokens, an entity ruler fed by the lexicons, and the
character CRF that has the last word.

thinc, below spaCy, imports TensorFlow wherever it finds it, which costs 15 seconds and 400 MB that nothing
here uses. `without_tensorflow` answers that import with the ImportError thinc expects on machines that lack
TensorFlow; it touches no installed file.
"""

# No postponed annotations here: spaCy's registry reads a factory's annotations when it is registered.
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def without_tensorflow() -> None:
    """Makes `import tensorflow` fail from here on, unless it has happened already."""
    sys.modules.setdefault("tensorflow", None)  # type: ignore[arg-type]


without_tensorflow()

import spacy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.tokens import Span as SpacySpan

from zhanggui_nlu.crf import CrfTagger
from zhanggui_nlu.errors import ModelError
from zhanggui_nlu.lexicons import LABEL_BY_LEXICON, LexiconMatcher

CRF_PIPE = "counter_crf"
# The ruler speaks only for what is hardly ever anything else: long names of banks.
RULER_LEXICON, RULER_LENGTH_MIN = "banks", 3


@Language.factory(CRF_PIPE)
class CrfPipe:
    """A spaCy component that asks the CRF and keeps ruler entities where the CRF saw nothing."""

    def __init__(self, nlp: Language, name: str) -> None:
        """Empty until `use` or `from_disk`."""
        self.name = name
        self.tagger: CrfTagger | None = None

    def use(self, model: bytes, lexicons: Mapping[str, Sequence[str]]) -> None:
        """Takes a trained CRF and the lexicons it was trained with."""
        self.tagger = CrfTagger(model, LexiconMatcher(lexicons))

    def __call__(self, doc: Doc) -> Doc:
        """Sets `doc.ents`."""
        if self.tagger is None:
            return doc
        found = [
            doc.char_span(span.start, span.end, label=span.label) for span in self.tagger.spans(doc.text)
        ]
        entities: list[SpacySpan] = [span for span in found if span is not None]
        taken = {i for span in entities for i in range(span.start, span.end)}
        entities += [span for span in doc.ents if taken.isdisjoint(range(span.start, span.end))]
        doc.set_ents(sorted(entities, key=lambda span: span.start))
        return doc

    def to_disk(self, path: str | Path, *, exclude: Sequence[str] = ()) -> None:
        """Writes the CRF and its lexicons into folder `path`."""
        if self.tagger is None:
            return
        folder = Path(path)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "entities.crfsuite").write_bytes(self.tagger.model)
        lexicons = json.dumps(self.tagger.matcher.lexicons, ensure_ascii=False)
        (folder / "lexicons.json").write_text(lexicons, encoding="utf-8")

    def from_disk(self, path: str | Path, *, exclude: Sequence[str] = ()) -> "CrfPipe":
        """Reads what `to_disk` wrote."""
        folder = Path(path)
        if (folder / "entities.crfsuite").exists():
            lexicons: dict[str, Any] = json.loads((folder / "lexicons.json").read_text(encoding="utf-8"))
            self.use((folder / "entities.crfsuite").read_bytes(), lexicons)
        return self


def build_pipeline(lexicons: Mapping[str, Sequence[str]], crf_model: bytes | None) -> Language:
    """A `zh` pipeline by character; without `crf_model` the ruler alone decides."""
    nlp = spacy.blank("zh")
    patterns = [
        {"label": LABEL_BY_LEXICON[RULER_LEXICON], "pattern": word}
        for word in lexicons.get(RULER_LEXICON, [])
        if len(word) >= RULER_LENGTH_MIN
    ]
    if patterns:
        nlp.add_pipe("entity_ruler").add_patterns(patterns)  # type: ignore[attr-defined]
    if crf_model is not None:
        pipe = nlp.add_pipe(CRF_PIPE)
        pipe.use(crf_model, lexicons)  # type: ignore[attr-defined]
    return nlp


def load_pipeline(folder: Path) -> Language:
    """Reads a pipeline that `Language.to_disk` wrote. Raises ModelError."""
    try:
        return spacy.util.load_model_from_path(folder)
    except (OSError, ValueError) as error:
        raise ModelError(f"The spaCy pipeline in the model cannot be read: {error}.") from error
