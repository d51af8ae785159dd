#!/bin/bash -eu
# What ClusterFuzzLite runs: the same build as OSS-Fuzz's.
exec "$SRC/weir/fuzz/oss-fuzz/build.sh"
