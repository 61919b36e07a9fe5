"""From photos to an ONNX file: ``python data_to_onnx.py PHOTOS OUT``, with a folder of pictures for each class."""

import sys

import denas_core

photos, out = sys.argv[1:3]

found = denas_core.search(
    "cv/cnn:micro", data=photos, constraints=["params<=200k"], budget=40, out=f"{out}/run"
)
print(f"best of {len(found.ranked)} networks: {found.best.evaluation.metrics['params']:,.0f} parameters")

# The first networks and a random one are trained on the photos, because a score without training is only a filter.
won = denas_core.race(found, photos, top=3, also="random", epochs=3)
print(won.sentence)

measured = denas_core.evaluate(won, photos)
print(f"{measured.metric} {measured.value:.3f} on {measured.samples} photos that it was not trained on")

exported = denas_core.export(won, "onnx")
print(f"{exported.path}: {exported.size_mb:.2f} MB")
for one in denas_core.predict(exported, photos)[:3]:
    print(one.name, one.answer.text, f"{one.answer.probability:.2f}")
