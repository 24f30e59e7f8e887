-- Finds the libraries to compare with, and builds the adapter of each: a shared object.
-- SPDX-License-Identifier: MIT-0

local files = require "files"
local shell = require "bench.shell"

local find = {}

-- Debian's are always wanted. The others are taken from $variable (a folder with include and lib),
-- else from pkg-config, else from CMake (its package and target).
local PEERS = {
  { name = "onednn", source = "onednn.c", libraries = { "-ldnnl" } },
  { name = "xnnpack", source = "xnnpack.c", libraries = { "-lXNNPACK" } },
  { name = "openblas", source = "openblas.c", libraries = { "-lopenblas" } },
  { name = "onednn-3", source = "onednn.c", libraries = { "-ldnnl" }, variable = "ONEDNN_DIR",
    module = "dnnl >= 3", package = "dnnl 3", target = "DNNL::dnnl" },
  { name = "onnxruntime", source = "onnxruntime.c", libraries = { "-lonnxruntime" },
    variable = "ONNXRUNTIME_DIR", module = "libonnxruntime", package = "onnxruntime",
    target = "onnxruntime::onnxruntime" },
  { name = "ncnn", source = "ncnn.cc", libraries = { "-lncnn", "-Wl,--as-needed", "-lgomp" },
    variable = "NCNN_DIR", module = "ncnn", package = "ncnn", target = "ncnn" },
}

--- The names of all peers.
function find.names()
  local names = {}
  for i, peer in ipairs(PEERS) do names[i] = peer.name end
  return names
end

local function quiet(line) return os.execute(line .. " >/dev/null 2>&1") == true end

local function compiler_of(peer, tools)
  return peer.source:find("%.cc$") and tools.cxx .. " -std=c++17" or tools.cc .. " -std=c11"
end

-- Compiles an adapter with more words for the compiler; true, or nil and what the compiler says.
local function compile(peer, path, tools, before, after)
  local line = ("%s -O3 -march=native -fPIC -shared %s %s %s"):format(compiler_of(peer, tools),
    shell.line({ "-I" .. tools.root .. "/templates",
      ("%s/bench/peers/%s"):format(tools.root, peer.source), "-o", path }), before, after)
  return shell.parallel({ line }, 1, function() end)
end

local function from_folder(peer, path, tools, folder)
  local words = {}
  for _, place in ipairs({ "include", "include/onnxruntime", "include/ncnn" }) do
    words[#words + 1] = ("-isystem%s/%s"):format(folder, place)
  end
  for _, place in ipairs({ "lib", "lib64" }) do
    words[#words + 1] = ("-L%s/%s"):format(folder, place)
    words[#words + 1] = ("-Wl,-rpath,%s/%s"):format(folder, place)
  end
  return compile(peer, path, tools, shell.line(words), shell.line(peer.libraries))
end

local function from_pkg_config(peer, path, tools)
  local module = shell.line({ peer.module })
  if not quiet("pkg-config --exists " .. module) then return nil end
  return compile(peer, path, tools, "", shell.output("pkg-config --cflags --libs " .. module))
end

local function from_cmake(peer, path, tools, out)
  if not quiet("command -v cmake") then return nil end
  local project = ("%s/cmake/%s"):format(out, peer.name)
  files.write(project .. "/CMakeLists.txt", ([[
cmake_minimum_required(VERSION 3.18)
project(peer C CXX)
find_package(%s REQUIRED CONFIG)
add_library(peer MODULE %s/bench/peers/%s)
set_target_properties(peer PROPERTIES C_STANDARD 11 CXX_STANDARD 17)
target_include_directories(peer PRIVATE %s/templates)
target_link_libraries(peer PRIVATE %s)
]]):format(peer.package, tools.absolute, peer.source, tools.absolute, peer.target))
  local built = project .. "/build"
  os.remove(built .. "/CMakeCache.txt") -- which would keep what an earlier run found
  return quiet(("cmake -S %s -B %s -DCMAKE_BUILD_TYPE=Release"):format(project, built))
    and quiet("cmake --build " .. built)
    and quiet(("cp %s/libpeer.so %s"):format(built, path)) or nil
end

local function build(peer, path, tools, out)
  if not peer.variable then
    return compile(peer, path, tools, "", shell.line(peer.libraries)), "its package is not installed"
  end
  local folder = os.getenv(peer.variable)
  if folder and folder ~= "" then
    local ok, why = from_folder(peer, path, tools, folder)
    return ok, not ok and ("%s=%s: %s"):format(peer.variable, folder,
      why:match("[^\n]*error[^\n]*") or why), true
  end
  return from_pkg_config(peer, path, tools) or from_cmake(peer, path, tools, out),
    ("neither $%s nor pkg-config nor CMake finds it"):format(peer.variable)
end

--- Builds the adapters of the peers with these names under `out`. Gives a list of paths, and one of
-- { name =, why = } of those that are not here; or nil and a message where a variable leads nowhere.
function find.build(names, out, tools)
  local paths, missing = {}, {}
  tools.absolute = shell.output(shell.line({ "realpath", tools.root }))
  local folder = shell.output(shell.line({ "realpath", "-m", out }))
  files.write(folder .. "/adapters/README", "Adapters of other libraries, see bench/peers.\n")
  for _, peer in ipairs(PEERS) do
    local wanted = false
    for _, name in ipairs(names) do wanted = wanted or name == peer.name end
    if wanted then
      local path = ("%s/adapters/%s.so"):format(folder, peer.name)
      os.remove(path)
      local ok, why, fatal = build(peer, path, tools, folder)
      if fatal and not ok then
        return nil, why
      elseif ok then
        paths[#paths + 1] = path
      else
        missing[#missing + 1] = { name = peer.name, why = why }
      end
    else
      missing[#missing + 1] = { name = peer.name, why = "not asked for" }
    end
  end
  return paths, missing
end

return find
