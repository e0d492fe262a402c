#include "mtl/data/prefetch.hpp"

#include <c10/core/Event.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <deque>
#include <functional>
#include <optional>

#include "mtl/core/error.hpp"

namespace mtl::data_detail {
namespace {

using Change = std::function<Tensor(const Tensor&)>;

void change_all(NamedTensors& tensors, const Change& change) {
  for (auto& item : tensors)
    if (item.value().defined()) item.value() = change(item.value());
}

void change_all(Batch& batch, const Change& change) {
  change_all(batch.inputs, change);
  change_all(batch.targets, change);
  change_all(batch.task_sample_weights, change);
  if (batch.sample_weights.defined()) batch.sample_weights = change(batch.sample_weights);
}

bool has_all_labels(const Batch& batch) {
  for (const auto& target : batch.targets)
    if (target.value().defined() && !is_complete(target.value())) return false;
  return true;
}

}  // namespace

struct BatchQueue::State {
  struct Sent {
    Batch batch;
    Batch source;  // kept until the copy is asked for: pinned memory
    std::optional<c10::Event> arrived;
  };

  PrefetchOptions options;
  std::optional<c10::Stream> stream;  // of the copies, beside that of the work
  std::deque<Sent> sent;
};

BatchQueue::BatchQueue(PrefetchOptions options) : state_(std::make_unique<State>()) {
  if (options.ahead < 1)
    throw Error("Prefetch: ahead is {}, expected at least 1 batch", options.ahead);
  if (!options.device.is_cpu()) {
    const c10::impl::VirtualGuardImpl devices(options.device.type());
    if (!options.device.has_index()) options.device = devices.getDevice();
    state_->stream = devices.getStreamFromGlobalPool(options.device);
  }
  state_->options = options;
}
BatchQueue::BatchQueue(BatchQueue&&) noexcept = default;
BatchQueue& BatchQueue::operator=(BatchQueue&&) noexcept = default;
BatchQueue::~BatchQueue() = default;

bool BatchQueue::empty() const { return state_->sent.empty(); }
bool BatchQueue::full() const {
  return static_cast<int64_t>(state_->sent.size()) >= state_->options.ahead;
}
void BatchQueue::clear() { state_->sent.clear(); }

void BatchQueue::send(Batch batch) {
  State::Sent sent;
  const auto& options = state_->options;
  if (!state_->stream) {
    sent.batch = std::move(batch);
  } else {
    if (!batch.complete) batch.complete = has_all_labels(batch);
    if (options.pin_memory && options.device.is_cuda())
      change_all(batch, [](const Tensor& t) { return t.is_cpu() ? t.pin_memory() : t; });
    const c10::StreamGuard copying(*state_->stream);
    sent.batch = batch;
    change_all(sent.batch,
               [&](const Tensor& t) { return t.to(options.device, /*non_blocking=*/true); });
    sent.source = std::move(batch);
    sent.arrived.emplace(options.device.type());
    sent.arrived->record(*state_->stream);
  }
  state_->sent.push_back(std::move(sent));
}

Batch BatchQueue::receive() {
  State::Sent next = std::move(state_->sent.front());
  state_->sent.pop_front();
  if (next.arrived) {
    const c10::impl::VirtualGuardImpl devices(state_->options.device.type());
    const c10::Stream now = devices.getStream(state_->options.device);
    next.arrived->block(now);
    // Their memory belongs to the other stream: it must not be given away while this one uses it.
    change_all(next.batch, [&](const Tensor& t) {
      t.record_stream(now);
      return t;
    });
  }
  return std::move(next.batch);
}

}  // namespace mtl::data_detail
