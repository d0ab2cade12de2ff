"""The ten layers that judge a submission, one file a layer."""
