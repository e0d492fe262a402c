#include "summed_pass.hpp"

#include <torch/autograd.h>
#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>

#include "mtl/core/torch_version.hpp"

namespace mtl {
namespace {

/// Gradients on their way: each bucket is sent off when the last of its gradients is known and
/// those before it are gone, so that all processes send in one order whatever they find first.
class Buckets {
 public:
  Buckets(const Exchange& exchange, const std::vector<Tensor>& parameters,
          const std::vector<bool>& here)
      : exchange_(exchange),
        parameters_(parameters),
        gradients_(parameters.size()),
        bucket_of_(parameters.size()) {
    int64_t filled = 0;
    for (size_t p = parameters.size(); p-- > 0;) {
      const auto bytes = static_cast<int64_t>(parameters[p].nbytes());
      if (buckets_.empty() ||
          (exchange.bucket_bytes > 0 && filled + bytes > exchange.bucket_bytes)) {
        buckets_.emplace_back();
        filled = 0;
      }
      filled += bytes;
      buckets_.back().places.push_back(p);
      buckets_.back().missing += here[p] ? 1 : 0;
      bucket_of_[p] = buckets_.size() - 1;
    }
    send();
  }

  /// Also of a parameter that was not reached after all: undefined.
  void found(size_t parameter, Tensor gradient) {
    const std::lock_guard lock(mutex_);  // a model may lie on several devices, a thread each
    gradients_[parameter] = std::move(gradient);
    --buckets_[bucket_of_[parameter]].missing;
    send();
  }

  /// What is still missing does not come.
  StartedSum sent() {
    for (Bucket& bucket : buckets_) bucket.missing = 0;
    send();
    StartedSum all{std::vector<Tensor>(parameters_.size()), {}};
    std::vector<std::function<void()>> waits;
    for (Bucket& bucket : buckets_) {
      for (size_t i = 0; i < bucket.places.size(); ++i)
        all.sums[bucket.places[i]] = std::move(bucket.started.sums[i]);
      waits.push_back(std::move(bucket.started.wait));
    }
    all.wait = [waits = std::move(waits)] {
      for (const auto& wait : waits) wait();
    };
    return all;
  }

 private:
  struct Bucket {
    std::vector<size_t> places = {};
    int64_t missing = 0;
    StartedSum started = {};
  };

  void send() {
    const torch::NoGradGuard no_grad;
    for (; next_ < buckets_.size() && buckets_[next_].missing <= 0; ++next_) {
      Bucket& bucket = buckets_[next_];
      std::vector<Tensor> tensors;
      for (const size_t p : bucket.places)
        tensors.push_back(gradients_[p].defined() ? std::move(gradients_[p])
                                                  : torch::zeros_like(parameters_[p]));
      bucket.started = exchange_.start(std::move(tensors));
    }
  }

  const Exchange& exchange_;
  const std::vector<Tensor>& parameters_;
  std::vector<Tensor> gradients_;
  std::vector<size_t> bucket_of_;
  std::vector<Bucket> buckets_;
  size_t next_ = 0;
  std::mutex mutex_;
};

/// Called when a parameter's gradient is whole: takes it away.
struct TakeGradient : torch::autograd::FunctionPostHook {
  TakeGradient(Tensor of, size_t at, Buckets& to) : parameter(std::move(of)), place(at), all(to) {}

  torch::autograd::variable_list operator()(const torch::autograd::variable_list& outputs,
                                            const torch::autograd::variable_list&) override {
    all.found(place, std::exchange(parameter.mutable_grad(), Tensor()));
    return outputs;
  }

  Tensor parameter;
  size_t place;
  Buckets& all;
};

using Accumulator = decltype(torch::autograd::impl::grad_accumulator(std::declval<Tensor>()));

/// While it lives, the gradients that a pass accumulates go to the buckets, and `.grad` is as it
/// was before when it ends.
class TakenGradients {
 public:
  TakenGradients(const std::vector<Tensor>& parameters, const std::vector<bool>& here,
                 Buckets& buckets) {
    for (size_t p = 0; p < parameters.size(); ++p) {
      if (!here[p]) continue;
      Taken taken{parameters[p], torch::autograd::impl::grad_accumulator(parameters[p])};
      taken.before = std::exchange(taken.parameter.mutable_grad(), Tensor());
      taken_.push_back(std::move(taken));
      taken_.back().key = taken_.back().accumulator->add_post_hook(
          std::make_unique<TakeGradient>(parameters[p], p, buckets));
    }
  }
  ~TakenGradients() {
    for (Taken& taken : taken_) {
      taken.accumulator->del_post_hook(taken.key);
      taken.parameter.mutable_grad() = std::move(taken.before);
    }
  }
  TakenGradients(const TakenGradients&) = delete;
  TakenGradients& operator=(const TakenGradients&) = delete;

 private:
  struct Taken {
    Tensor parameter;
    Accumulator accumulator;
    Tensor before = {};
    uintptr_t key = 0;
  };
  std::vector<Taken> taken_;
};

/// Whether nobody else listens where this parameter's gradient is accumulated.
bool is_quiet(const Tensor& parameter) {
  if (!parameter.is_leaf()) return false;
#if MTL_TORCH_2
  if (torch::autograd::impl::post_acc_grad_hooks(parameter)) return false;
#endif
  return torch::autograd::impl::grad_accumulator(parameter)->post_hooks().empty();
}

std::vector<Tensor> chosen(const std::vector<Tensor>& tensors, const std::vector<bool>& here) {
  std::vector<Tensor> some;
  for (size_t i = 0; i < tensors.size(); ++i)
    if (here[i]) some.push_back(tensors[i]);
  return some;
}

}  // namespace

StartedSum summed_pass(const Exchange& exchange, const std::vector<Tensor>& from,
                       const std::vector<Tensor>& along, const std::vector<Tensor>& parameters,
                       const std::vector<bool>& here) {
  Buckets buckets(exchange, parameters, here);
  const std::vector<Tensor> wanted = chosen(parameters, here);
  if (from.empty() || wanted.empty()) return buckets.sent();
  if (std::all_of(wanted.begin(), wanted.end(), is_quiet)) {
    const TakenGradients taken(parameters, here, buckets);
    torch::autograd::backward(from, along, /*retain_graph=*/true, /*create_graph=*/false, wanted);
    return buckets.sent();
  }
  auto found = torch::autograd::grad(from, wanted, along, /*retain_graph=*/true,
                                     /*create_graph=*/false, /*allow_unused=*/true);
  size_t next = 0;
  for (size_t p = 0; p < parameters.size(); ++p)
    if (here[p]) buckets.found(p, std::move(found[next++]));
  return buckets.sent();
}

StartedSum summed_gradients(const Exchange& exchange, std::vector<Tensor> gradients,
                            const std::vector<Tensor>& parameters) {
  const std::vector<bool> here(parameters.size(), true);
  Buckets buckets(exchange, parameters, here);
  for (size_t p = parameters.size(); p-- > 0;) buckets.found(p, std::move(gradients[p]));
  return buckets.sent();
}

}  // namespace mtl
