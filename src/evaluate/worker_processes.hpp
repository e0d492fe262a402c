#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace mtl::evaluate {

/// Runs job(0) ... job(jobs - 1), each in a process of its own, at most `processes` at once and no
/// more than fit into `memory` bytes by what the first took (0: no end). The processes are copies
/// of this one: they see all that is in memory, and what they change there is lost with them. They
/// end when this one does.
/// Error: a job throws or its process dies; `name(job)` says which it was. The others are ended.
void run_in_processes(int64_t jobs, int64_t processes, int64_t memory,
                      const std::function<void(int64_t)>& job,
                      const std::function<std::string(int64_t)>& name);

}  // namespace mtl::evaluate
