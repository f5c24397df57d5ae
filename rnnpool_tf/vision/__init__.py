"""Detection: anchors, matching, multibox loss, decoding, non-maximum suppression."""
