"""How fast it is, measured beside the peers on the spot.

``als.run`` trains everybody on one matrix, ``serving.topk`` and ``serving.foldin`` ask a trained model for lists and
for new members' factors, ``scaling.run`` lets the collective grow. ``ingest.run`` takes in exports, ``frauds.run``
counts which planted frauds the proof of contribution finds. ``ablation.run`` tells what each addition to plain ALS is
worth to listeners, ``recency`` and ``cold.run`` what times and tags are. Each gives a
:class:`~recsys.bench.report.Report`.

What makes a comparison fair stands where it is done: the loss and the start in ``contestants``, the clock and the
memory in ``worker`` and ``processes``, the turns in ``trials``, the floor in ``floor``, the matrices in ``shapes``.
"""
