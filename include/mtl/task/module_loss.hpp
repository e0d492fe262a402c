#pragma once

#include <torch/enum.h>
#include <torch/nn/modules/loss.h>

#include <concepts>
#include <memory>
#include <string>
#include <utility>

#include "mtl/core/loss_kind.hpp"
#include "mtl/task/class_labels.hpp"

namespace mtl {

/// The holder of a module with `Tensor forward(prediction, target)`.
template <class Holder>
concept LossModule = requires(const Holder& holder, const Tensor& tensor) {
  typename Holder::ContainedType;
  { holder.ptr() } -> std::convertible_to<std::shared_ptr<typename Holder::ContainedType>>;
  { holder.ptr()->forward(tensor, tensor) } -> std::convertible_to<Tensor>;
};

/// A loss module of torch's, or one of one's own, as a loss. Loss makes it from a holder:
///
///     Task{.name = "temperature", .loss = torch::nn::MSELoss()}
///     Task{.name = "kind", .loss = torch::nn::CrossEntropyLoss(
///                              torch::nn::CrossEntropyLossOptions().reduction(torch::kNone))}
///
/// With torch's reduction kMean (its default) it gives one number, with kNone one value a sample,
/// which sample weights that differ and rows labelled in part ask for. Prediction and target are
/// fitted to each other as by mtl's own losses: [N] and [N, 1] are the same, -100 and torch's
/// ignore_index are missing labels. Class weights with kNone scale a sample's value, as in torch.
/// A module without torch's options is called as it is.
template <class Module>
class ModuleLoss {
  static constexpr bool reduces = requires(Module & module) { module.options.reduction(); };
  static constexpr bool takes_classes = requires(Module & module) {
    module.options.ignore_index();
    module.options.weight();
  };
  // Whose gradient torch computes for targets of the prediction's type alone.
  static constexpr bool takes_real = std::same_as<Module, torch::nn::MSELossImpl> ||
                                     std::same_as<Module, torch::nn::HuberLossImpl> ||
                                     std::same_as<Module, torch::nn::BCELossImpl> ||
                                     std::same_as<Module, torch::nn::BCEWithLogitsLossImpl>;

 public:
  /// Known to classify: torch's cross-entropies, negative log-likelihood and margins of classes,
  /// which all have weights by class or output.
  static constexpr LossKind kind = requires(Module & module) { module.options.weight(); }
  ? LossKind::classification : LossKind::regression;

  /// torch::nn::BCEWithLogitsLoss, the one that knows positives, and MultiLabelSoftMarginLoss.
  static constexpr bool yes_or_no() {
    return std::same_as<Module, torch::nn::MultiLabelSoftMarginLossImpl> ||
           requires(Module & module) {
      module.options.pos_weight();
    };
  }

  /// torch::nn::BCELoss takes probabilities.
  static constexpr LossOutputs outputs = std::same_as<Module, torch::nn::BCELossImpl>
                                             ? LossOutputs::probabilities
                                             : LossOutputs::plain;

  explicit ModuleLoss(std::shared_ptr<Module> module) : module_(std::move(module)) {}

  /// Error: an empty holder, or reduction kSum, whose sum is no mean.
  void check() const {
    if (!module_) throw Error("the loss is a module holder without a module");
    if constexpr (reduces)
      if (torch::enumtype::get_enum_name(module_->options.reduction()) == "kSum")
        throw Error(
            "the loss module sums over the batch (torch::kSum); give torch::kMean or torch::kNone");
  }

  Tensor is_labelled(const Tensor& target) const {
    if constexpr (takes_classes)
      if (!target.is_floating_point()) return mtl::is_labelled(without_ignored(target));
    return mtl::is_labelled(target);
  }

  /// Of class indices, with torch's ignore_index as -100.
  Tensor marked(const Tensor& target) const {
    if constexpr (takes_classes)
      if (!target.is_floating_point() && module_->options.ignore_index() != missing_class)
        return without_ignored(target);
    return target;
  }

  SampleLosses operator()(const Tensor& prediction, const Tensor& target) const {
    if constexpr (takes_classes)
      if (!target.is_floating_point()) return of_classes(prediction, target);
    if constexpr (reduces) return of_values(prediction, target);
    return {module_->forward(prediction, target)};
  }

 private:
  /// Class indices with every missing one as -100.
  Tensor without_ignored(const Tensor& labels) const {
    const Tensor target = labels.to(torch::kLong);
    return target.masked_fill(target.eq(module_->options.ignore_index()), missing_class);
  }

  SampleLosses of_classes(const Tensor& prediction, const Tensor& labels) const {
    const auto& options = module_->options;
    const Tensor target = class_target(prediction, without_ignored(labels), options.weight());
    const Tensor labelled = labelled_entries(target);
    const Tensor losses = module_->forward(
        prediction, target.masked_fill(labelled.logical_not(), options.ignore_index()));
    if (losses.dim() > 0) return over_labelled(losses, labelled);
    const auto entries = static_cast<double>(target.numel()) / static_cast<double>(target.size(0));
    if (!options.weight().defined()) return {losses, labelled.sum() / entries};
    const Tensor weights = options.weight().index_select(0, target.masked_select(labelled));
    return {losses, weights.sum() / entries};
  }

  SampleLosses of_values(const Tensor& prediction, const Tensor& labels) const {
    // Integer targets may be something else than one value an output.
    const bool values = labels.is_floating_point() || labels.numel() == prediction.numel();
    const Tensor target = !values ? labels
                          : labels.is_floating_point() || takes_real
                              ? match_target(prediction, labels)
                              : labels.reshape(prediction.sizes());
    const bool several = target.numel() > target.size(0);
    const Tensor labelled = labelled_entries(target);
    const bool partly = several && !labelled.all().item<bool>();
    if (!partly) {
      const Tensor losses = module_->forward(prediction, target);
      return {losses.dim() > 1 ? losses.flatten(1).mean(1) : losses};
    }
    const Tensor missing = labelled.logical_not();
    const Tensor losses = values ? module_->forward(prediction.masked_fill(missing, 0),
                                                    target.masked_fill(missing, 0))
                                 : Tensor();
    if (!losses.defined() || losses.sizes() != target.sizes())
      throw Error(
          "some rows of the target {} are labelled in part, which the loss module cannot leave "
          "out. Give it the reduction torch::kNone, or use a loss of mtl's",
          shape_text(labels));
    return over_labelled(losses, labelled);
  }

  std::shared_ptr<Module> module_;
};

}  // namespace mtl
