"""What a bundle tells about itself: to people, to the Hugging Face hub, to bills of materials, and to a lone script.

Every word follows from :class:`recsys.bundle.facts.BundleFacts` alone: the same facts give the same bytes.
"""
