#pragma once

#include <cmath>
#include <concepts>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mtl/sharing/clone.hpp"
#include "mtl/sharing/model_holder.hpp"

namespace mtl {

/// Several models of the same tasks as one, which answers with the mean of what they say:
///     regressions                       the mean of the outputs
///     class scores [N, C, ...], C > 1   the logarithm of the mean of the members' probabilities
///     one output of a classification    the logit of the mean of the members' probabilities
/// so that losses and metrics take it as they take a member's answer. Networks that were trained
/// apart err apart, and their mean is better than most of them (Lakshminarayanan et al., NeurIPS
/// 2017).
///
///     Ensemble together({first.ptr(), second.ptr(), third.ptr()});
///     predict(together, loader);
///
/// Several yes-or-no answers of one task ([N, K] scores) would be taken for classes: let each be a
/// task. Parameters: "member<k>.*".
class EnsembleImpl : public Model {
 public:
  /// Error: no member, an empty one, members with other tasks than the first.
  explicit EnsembleImpl(std::vector<std::shared_ptr<Model>> members)
      : Model(tasks_of(members)), members_(std::move(members)) {
    for (size_t k = 0; k < members_.size(); ++k)
      register_model("member" + std::to_string(k), members_[k]);
  }

  NamedTensors forward(const NamedTensors& inputs) override {
    std::vector<NamedTensors> all;
    for (const auto& member : members_) all.push_back(member->forward(inputs));
    NamedTensors means;
    for (const Task& task : tasks()) {
      std::vector<Tensor> answers;
      for (const NamedTensors& one : all) answers.push_back(one[task.name]);
      means.insert(task.name, mean_of(task, torch::stack(answers)));
    }
    return means;
  }

  std::vector<Tensor> task_parameters(std::string_view task) override {
    std::vector<Tensor> parameters;
    for (const auto& member : members_)
      for (const Tensor& parameter : member->task_parameters(task)) parameters.push_back(parameter);
    return parameters;
  }

  const std::vector<std::shared_ptr<Model>>& members() const { return members_; }

 protected:
  std::shared_ptr<Model> make_again() const override {
    std::vector<std::shared_ptr<Model>> copies;
    for (const auto& member : members_) copies.push_back(mtl::clone(*member));
    return std::make_shared<EnsembleImpl>(std::move(copies));
  }

 private:
  static TaskRegistry tasks_of(const std::vector<std::shared_ptr<Model>>& members) {
    if (members.empty()) throw Error("Ensemble: there is no member");
    for (size_t k = 0; k < members.size(); ++k) {
      if (members[k] == nullptr) throw Error("Ensemble: member {} is empty", k);
      const TaskRegistry &first = members[0]->tasks(), &own = members[k]->tasks();
      bool same = own.size() == first.size();
      for (int64_t t = 0; same && t < own.size(); ++t) same = own[t].name == first[t].name;
      if (!same) throw Error("Ensemble: member {} has other tasks than the first", k);
    }
    return members[0]->tasks();
  }

  /// Of answers [members, N, ...].
  static Tensor mean_of(const Task& task, const Tensor& answers) {
    if (task.loss.kind() != LossKind::classification) return answers.mean(0);
    const double less = std::log(static_cast<double>(answers.size(0)));
    const auto mean = [less](const Tensor& logarithms) { return logarithms.logsumexp(0) - less; };
    if (answers.dim() > 2 && answers.size(2) > 1) return mean(answers.log_softmax(2));
    return mean(torch::log_sigmoid(answers)) - mean(torch::log_sigmoid(-answers));
  }

  std::vector<std::shared_ptr<Model>> members_;
};

struct Ensemble : ModelHolder<EnsembleImpl> {
  using Impl = EnsembleImpl;
  Ensemble(std::nullptr_t) : ModelHolder(nullptr) {}
  explicit Ensemble(std::shared_ptr<Impl> model) : ModelHolder(std::move(model)) {}
  explicit Ensemble(std::vector<std::shared_ptr<Model>> members)
      : ModelHolder(std::make_shared<Impl>(std::move(members))) {}
};

}  // namespace mtl
