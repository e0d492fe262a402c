#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "mtl/combine/joined_losses.hpp"
#include "mtl/core/batch.hpp"
#include "mtl/sharing/model.hpp"

namespace mtl {

struct ProcessGroup;

struct ProcessOptions {
  /// How long one waits for the others before it takes them for dead. Longer than the longest
  /// that one of them computes alone, such as reading data or writing a checkpoint.
  std::chrono::milliseconds timeout = std::chrono::minutes(5);
  /// Gradients travel in pieces of so many bytes: small enough that the first are under way while
  /// the backward pass finds the next, large enough that the network's delay does not count.
  int64_t bucket_bytes = int64_t{4} << 20;
  /// By which the others reach this process, an address or a name; empty: the address that leads
  /// to process 0.
  std::string address = {};

  void check_options() const;
};

/// Several processes, on one machine or many, that train one model: every step is that of the whole
/// batch, each process computes a share of its rows.
///
///     auto processes = mtl::Processes::from_environment();
///     mtl::Trainer trainer(model, adam, combiner, {.epochs = 100, .processes = &processes});
///
/// The program is the same for all and for one alone; `torchrun`, `mpirun` or environment variables
/// say who is who. With a loop of one's own:
///
///     auto losses = processes.joined(task_losses(model, predictions, share), model);
///     combiner.backward(losses, model);          // .grad is that of the whole batch, everywhere
///
/// Every process calls the same functions in the same order: each waits for the others. All work on
/// torch's own c10d with Gloo; tensors of a GPU travel through the CPU.
class Processes {
 public:
  using Options = ProcessOptions;

  /// One process alone, which needs nobody: every function gives back what it is given.
  Processes();
  /// Process `rank` of `count`; number 0 listens at `host`:`port`. Error: numbers that make no
  /// sense; not all met within the time-out; `count` is above 1 and the library was built without
  /// Gloo.
  Processes(int64_t rank, int64_t count, const std::string& host, int port, Options options = {});
  ~Processes();
  Processes(Processes&&) noexcept;
  Processes& operator=(Processes&&) noexcept;

  /// As the environment says: RANK and WORLD_SIZE, or what mpirun sets (OMPI_COMM_WORLD_RANK and
  /// _SIZE, PMI_RANK and _SIZE); MASTER_ADDR (default 127.0.0.1) and MASTER_PORT (default 29500),
  /// where process 0 listens. Under torchrun, whose own agent listens there, the port behind it.
  /// MTL_TIMEOUT, in seconds, goes before the option. Without them: one process. Error: a variable
  /// that is no number, or as above.
  static Processes from_environment(Options options = {});

  /// Whether there can be several: the library was built with Gloo.
  static bool available();

  int64_t rank() const { return rank_; }
  int64_t count() const { return count_; }
  bool several() const { return count_ > 1; }
  bool is_first() const { return rank_ == 0; }  ///< the one that writes files

  /// The rows of a batch that are this process's: as equal in number as they can be, possibly none,
  /// in the order of the processes.
  Batch share(const Batch& batch) const;

  /// The losses of the whole batch for any combiner, from those of this share (joined_losses).
  TaskLosses joined(const TaskLosses& own, const std::vector<Tensor>& parameters,
                    const std::vector<std::string>& names = {}) const;
  TaskLosses joined(const TaskLosses& own, const Model& model) const;
  /// The same for step after step, with parameters and names looked at once. Lives no longer than
  /// the processes.
  LossJoiner joiner(const std::vector<Tensor>& parameters,
                    const std::vector<std::string>& names = {}) const;

  /// The sums over all processes, new tensors; the same to the bit everywhere. All hand over
  /// tensors of the same shapes and types.
  std::vector<Tensor> sum(std::vector<Tensor> tensors) const;
  /// The same, begun and not waited for: what is computed meanwhile costs no time.
  StartedSum start_sum(std::vector<Tensor> tensors) const;
  /// Floating-point tensors become their mean over all processes, in place.
  void average(const std::vector<Tensor>& tensors) const;
  /// Tensors become those of process 0, in place.
  void broadcast(const std::vector<Tensor>& tensors) const;
  /// The named tensors of process 0, on the CPU, whatever the others hand over.
  NamedTensors broadcast(const NamedTensors& tensors) const;
  /// Those of each process, on the CPU, by process; names, shapes and types may differ.
  std::vector<NamedTensors> gather(const NamedTensors& tensors) const;
  std::vector<std::string> gather_texts(const std::string& text) const;

  /// Ends the connections, so that the others learn at once that this process does not go on;
  /// whatever is asked for afterwards is an Error.
  void abandon();

 private:
  ProcessGroup& group() const;
  std::vector<Tensor> gather_bytes(const Tensor& bytes) const;

  int64_t rank_ = 0, count_ = 1;
  Options options_ = {};
  std::unique_ptr<ProcessGroup> group_;
};

}  // namespace mtl
