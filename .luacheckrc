-- SPDX-License-Identifier: MIT-0
std = "lua54"
files["tests/spec"] = {
  read_globals = { "describe", "it", "before_each", "after_each", assert = { other_fields = true } },
}
