#pragma once

namespace table {

/// The whole program: 0 when all went well, 1 after a one-line error on stderr, 130 after Ctrl-C.
int run_program(int argc, const char* const* argv);

}  // namespace table
