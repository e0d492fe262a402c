#include "mtl/sharing/merging/ada_merging.hpp"

#include <torch/autograd.h>
#include <torch/optim/adam.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "mtl/core/error.hpp"
#include "mtl/nn/keep_modes.hpp"
#include "mtl/sharing/merging/task_vectors.hpp"

namespace mtl {
namespace {

/// One tensor that is merged: where it lies in the model, and what it is made of.
struct MergedTensor {
  Tensor place;    // the model's own
  Tensor from;     // theta_0, double
  Tensor vectors;  // [models, ...], double
  int64_t layer = 0;
  bool moved = false;  // in some model
};

/// Keeps what is frozen always, and the weights unless they are to stay.
class KeepWeights {
 public:
  explicit KeepWeights(std::vector<Tensor> tensors) : tensors_(std::move(tensors)) {
    for (const Tensor& tensor : tensors_) {
      values_.push_back(tensor.detach().clone());
      learned_.push_back(tensor.requires_grad());
    }
  }
  ~KeepWeights() {
    const torch::NoGradGuard no_grad;
    for (size_t i = 0; i < tensors_.size(); ++i) {
      if (tensors_[i].is_floating_point()) tensors_[i].set_requires_grad(learned_[i]);
      if (!weights_stay) tensors_[i].copy_(values_[i]);
    }
  }
  KeepWeights(const KeepWeights&) = delete;
  KeepWeights& operator=(const KeepWeights&) = delete;

  bool weights_stay = false;

 private:
  std::vector<Tensor> tensors_, values_;
  std::vector<bool> learned_;
};

/// The model's own tensors of the names of `start`, in that order.
std::vector<Tensor> places_of(Model& model, const NamedTensors& start) {
  NamedTensors own = model.named_parameters();
  own.update(model.named_buffers());
  std::vector<Tensor> places;
  for (const auto& item : start) {
    const Tensor* place = own.find(item.key());
    if (place == nullptr)
      throw Error("AdaMerging: the model has no \"{}\", which is to be merged", item.key());
    if (place->sizes() != item.value().sizes())
      throw Error("AdaMerging: \"{}\" has shape {} in the model and {} in the start", item.key(),
                  shape_text(*place), shape_text(item.value()));
    places.push_back(*place);
  }
  return places;
}

double checked_value(const Tensor& value) {
  if (!value.defined() || value.numel() != 1 || !value.requires_grad())
    throw Error(
        "AdaMerging: the objective gave {}, expected one number that depends on the predictions",
        shape_text(value));
  const double number = value.item<double>();
  if (!std::isfinite(number)) throw Error("AdaMerging: the objective is {}", number);
  return number;
}

void check_ada_options(const AdaMerging& options) {
  merging_detail::require_finite("AdaMerging", "coefficient", options.coefficient);
  if (!(options.learning_rate > 0 && options.learning_rate < 1e300))
    throw Error("AdaMerging: found learning_rate {}, expected a number above 0",
                options.learning_rate);
  if (options.steps < 0)
    throw Error("AdaMerging: found {} steps, expected at least 0", options.steps);
}

}  // namespace

AdaMerging::Result AdaMerging::operator()(ModelRef model, const NamedTensors& start,
                                          const std::vector<NamedTensors>& tuned,
                                          const NextInputs& next_inputs,
                                          const Objective& objective) const {
  check_ada_options(*this);
  merging_detail::check_models(start, tuned);
  const std::vector<Tensor> places = places_of(*model, start);

  Result result;
  std::vector<MergedTensor> merged;
  std::vector<Tensor> moved;  // places of those that moved
  for (size_t k = 0; k < start.size(); ++k) {
    const auto& [name, from] = start[k].pair();
    if (!merging_detail::is_merged(name, from)) continue;
    const size_t dot = name.rfind('.');
    const std::string layer = by == By::task || dot == name.npos ? "" : name.substr(0, dot);
    const auto found = std::find(result.layers.begin(), result.layers.end(), layer);
    const auto number = static_cast<int64_t>(found - result.layers.begin());
    if (found == result.layers.end()) result.layers.push_back(layer);
    // A copy: `start` may be the model's own weights, which move.
    merged.push_back({places[k],
                      from.detach().to(places[k].device(), at::kDouble, /*non_blocking=*/false,
                                       /*copy=*/true),
                      merging_detail::task_vectors(name, from, tuned).to(places[k].device()),
                      number, false});
    // What moved in no model has no slope: no gradient goes back as far as that.
    merged.back().moved = merged.back().vectors.ne(0).any().item<bool>();
    if (merged.back().moved) moved.push_back(places[k]);
  }

  const nn::KeepModes keep_modes(*model);
  KeepWeights before(places);
  model->eval();
  {
    const torch::NoGradGuard no_grad;
    // What has no task vector is as in every merging.
    const NamedTensors mean = merging_detail::from_start(
        start, tuned, [](const std::string&, const Tensor& vectors) { return vectors[0]; });
    for (size_t k = 0; k < start.size(); ++k) Tensor(places[k]).copy_(mean[start[k].key()]);
  }
  for (const MergedTensor& tensor : merged) Tensor(tensor.place).set_requires_grad(tensor.moved);

  const auto models = static_cast<int64_t>(tuned.size());
  Tensor lambda =
      at::full({models, static_cast<int64_t>(result.layers.size())}, coefficient, at::kDouble);
  const auto place_weights = [&] {
    const torch::NoGradGuard no_grad;
    for (MergedTensor& tensor : merged) {
      const Tensor by_model = lambda.detach().select(1, tensor.layer).to(tensor.from.device());
      tensor.place.copy_(tensor.from + at::tensordot(by_model, tensor.vectors, {0}, {0}));
    }
  };
  place_weights();
  lambda.set_requires_grad(true);
  const torch::AutoGradMode with_graph(true);
  torch::optim::Adam adam(std::vector<Tensor>{lambda}, torch::optim::AdamOptions(learning_rate));
  for (int64_t step = 0; step < steps && !moved.empty(); ++step) {
    const Tensor value = objective(model->forward(next_inputs()));
    result.objective.push_back(checked_value(value));
    const auto gradients = torch::autograd::grad({value.sum()}, moved, {}, false, false,
                                                 /*allow_unused=*/true);
    Tensor slope = at::zeros_like(lambda);
    auto gradient = gradients.begin();
    for (const MergedTensor& tensor : merged) {
      if (!tensor.moved) continue;
      if (gradient->defined()) {
        const Tensor along = at::mv(tensor.vectors.flatten(1), gradient->to(at::kDouble).flatten());
        slope.select(1, tensor.layer).add_(along.cpu());
      }
      ++gradient;
    }
    lambda.mutable_grad() = slope;
    adam.step();
    place_weights();
  }

  for (size_t k = 0; k < start.size(); ++k)
    result.weights.insert(start[k].key(), places[k].detach().clone());
  result.coefficients = lambda.detach();
  before.weights_stay = true;
  return result;
}

Tensor softmax_entropy(const Tensor& scores) {
  if (scores.dim() < 2)
    throw Error("softmax_entropy: found scores {}, expected [N, C, ...]", shape_text(scores));
  const Tensor log_probability = scores.log_softmax(1);
  return -(log_probability.exp() * log_probability).sum(1);
}

Tensor sigmoid_entropy(const Tensor& scores) {
  const Tensor yes = at::log_sigmoid(scores), no = at::log_sigmoid(-scores);
  return -(yes.exp() * yes + no.exp() * no);
}

}  // namespace mtl
