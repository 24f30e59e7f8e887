# For tests: caches so small that small layers do what large ones do elsewhere.
# SPDX-License-Identifier: MIT-0
convgen 0.1.0
cpu none
cost l2_bytes 16384
cost l3_bytes 65536
cost runs 1
