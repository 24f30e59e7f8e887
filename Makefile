# convgen: see README.md, or 'make help'.
# CC=, CXX=, SEED=, PROBLEMS=, ONLY=, ALSO=, BUILDS=, LAYERS= and NO_INSTALL=1 reach the scripts through
# the environment.
# SPDX-License-Identifier: MIT-0

LUA = lua5.4 -E

# One at a time, also of two makes: each uses all processors, and measuring wants quiet.
ALONE = mkdir -p build; exec 9>build/lock; \
	flock -n 9 || { echo 'waiting for another make'; flock 9; };

.NOTPARALLEL:
.SILENT:
.PHONY: all bench bench-all bench-floors bench-fused bench-runtime bench-threads bench-peers bench-deps
.PHONY: test test-all test-conformance test-mutants generate check-generated deps test-deps lint
.PHONY: clean help

all: bench            ## The main job: generate kernels, check, measure and plot them

bench: deps           ## The same; ARGS="--lists lenet --isa avx2" chooses, ARGS=--help lists
	$(ALONE) $(LUA) bench/run.lua $(ARGS)

bench-all: deps       ## The same for all layers on all instruction sets
	$(ALONE) $(LUA) bench/run.lua --all $(ARGS)

bench-floors: deps    ## Whether the kernels are as fast as promised
	$(ALONE) $(LUA) bench/floors.lua

bench-fused: deps     ## Convolution and pooling in one kernel against both in turn
	$(ALONE) $(LUA) bench/fused.lua $(ARGS)

bench-runtime: deps   ## How near kernels with run-time sizes come to those with fixed ones
	$(ALONE) $(LUA) bench/runtime.lua $(ARGS)

bench-threads: deps   ## How much faster layers are on two threads than on one
	$(ALONE) $(LUA) bench/threads.lua $(ARGS)

bench-peers: bench-deps ## The kernels and other libraries in one run, see bench/README.md; ARGS=--help
	$(ALONE) $(LUA) bench/peers/run.lua $(ARGS)

test: deps            ## The tests, with a thirteenth of the problems; SEED=n chooses which
	$(ALONE) $(LUA) tests/run.lua

test-mutants: deps    ## Whether the tests see faults planted in the generator
	$(ALONE) $(LUA) tests/run.lua --only mutants --all

test-all: deps        ## All tests; PROBLEMS=file adds a list of problems, here and above
	$(ALONE) $(LUA) tests/run.lua --all

test-conformance: deps ## ONNX's cases, and many layers against oneDNN
	$(ALONE) $(LUA) tests/run.lua --all --only onnx,onednn

deps:                 ## Install what the main job and the tests need (NO_INSTALL=1: never)
	tests/deps.sh main

test-deps:            ## Also what some tests are skipped without: compilers, emulators
	tests/deps.sh all

bench-deps:           ## Install the libraries that bench-peers compares with
	tests/deps.sh peers

generate: deps        ## Write the committed library again: generated/
	gen/convgen library -o generated

check-generated: deps ## Whether generated/ is what the generator makes
	$(ALONE) $(LUA) tests/run.lua --only generated

lint: deps            ## Static checks of the Lua code
	luacheck -q gen tests bench

clean:                ## Remove build/, where all that is made goes
	rm -rf build

help:                 ## This list
	sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 17
	echo 'CC=clang-19, say, chooses the compiler, CXX= that of C++.'
