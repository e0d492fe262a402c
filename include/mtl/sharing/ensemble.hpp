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
#include "mtl/sharing/parts.hpp"

namespace mtl {

/// Several models of the same tasks as one, which answers with the mean of what they say:
///     regressions                    the mean of the outputs
///     class scores, more than one    the logarithm of the mean of the members' probabilities
///     outputs that are yes or no     the logit of the mean of the members' probabilities
/// so that losses and metrics take it as they take a member's answer. Networks that were trained
/// apart err apart, and their mean is better than most of them (Lakshminarayanan et al., NeurIPS
/// 2017).
///
///     Ensemble together({first.ptr(), second.ptr(), third.ptr()});
///     predict(together, loader);
///
/// Parameters: "member<k>.*".
class EnsembleImpl : public Model {
 public:
  /// Regions of one class or of several, as Dice takes them: in dimension 1 but of [N, M], and an
  /// Error of [N, H, W], of which nobody says what H is.
  static constexpr int64_t by_shape = -2;

  /// `classes_in`: by task the dimension in which its classes lie, 0 where each output is a yes or
  /// no, -1 of a regression; empty: as the losses say.
  /// Error: no member, an empty one, members with other tasks than the first; dimensions for
  /// another number of tasks; a task whose outputs are in no order (BoxSetLoss).
  explicit EnsembleImpl(std::vector<std::shared_ptr<Model>> members,
                        std::vector<int64_t> classes_in = {})
      : Model(tasks_of(members)), members_(std::move(members)), classes_in_(std::move(classes_in)) {
    if (classes_in_.empty())
      for (const Task& task : tasks()) classes_in_.push_back(dimension_of(task.loss));
    if (std::ssize(classes_in_) != tasks().size())
      throw Error("Ensemble: dimensions of the classes of {} tasks, expected one each of {}",
                  classes_in_.size(), tasks().size());
    for (const Task& task : tasks())
      if (task.loss.outputs() == LossOutputs::unordered)
        throw Error(
            "Ensemble: the members' answers to task \"{}\" are in no order and have no mean; drop "
            "that task, or put the answers together yourself",
            task.name);
    for (size_t k = 0; k < members_.size(); ++k)
      register_model("member" + std::to_string(k), members_[k]);
  }

  NamedTensors forward(const NamedTensors& inputs) override {
    std::vector<NamedTensors> all;
    for (const auto& member : members_) all.push_back(member->forward(inputs));
    NamedTensors means;
    for (int64_t t = 0; t < tasks().size(); ++t) {
      std::vector<Tensor> answers;
      for (const NamedTensors& one : all) answers.push_back(one[tasks()[t].name]);
      sharing_detail::require_same_shape(answers, [&](size_t k) {
        return "task \"" + tasks()[t].name + "\": member " + std::to_string(k);
      });
      means.insert(tasks()[t].name,
                   mean_of(dimension_of(t, answers.front()), torch::stack(answers)));
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
  /// By task, as given or as the losses say.
  const std::vector<int64_t>& classes_in() const { return classes_in_; }

 protected:
  std::shared_ptr<Model> make_again() const override {
    std::vector<std::shared_ptr<Model>> copies;
    for (const auto& member : members_) copies.push_back(mtl::clone(*member));
    return std::make_shared<EnsembleImpl>(std::move(copies), classes_in_);
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

  static int64_t dimension_of(const Loss& loss) {
    if (loss.kind() != LossKind::classification) return -1;
    if (loss.outputs() == LossOutputs::probabilities) return -1;
    if (loss.outputs() == LossOutputs::regions) return by_shape;
    return loss.yes_or_no() ? 0 : loss.class_dimension();
  }

  int64_t dimension_of(int64_t t, const Tensor& answer) const {
    const int64_t given = classes_in_[static_cast<size_t>(t)];
    if (given != by_shape) return given;
    if (answer.dim() == 3 && answer.size(1) > 1)
      throw Error(
          "Ensemble: task \"{}\": answers {} are maps of one class or steps with scores of {} "
          "classes, which its loss does not say; give EnsembleImpl `classes_in`, 0 or 1",
          tasks()[t].name, shape_text(answer), answer.size(1));
    return answer.dim() > 2 ? 1 : 0;
  }

  /// Of answers [members, N, ...].
  static Tensor mean_of(int64_t classes_in, const Tensor& answers) {
    if (classes_in < 0) return answers.mean(0);
    const double less = std::log(static_cast<double>(answers.size(0)));
    const auto mean = [less](const Tensor& logarithms) { return logarithms.logsumexp(0) - less; };
    // Behind the members, whose dimension comes first.
    if (classes_in > 0 && answers.dim() - 1 > classes_in && answers.size(classes_in + 1) > 1)
      return mean(answers.log_softmax(classes_in + 1));
    return mean(torch::log_sigmoid(answers)) - mean(torch::log_sigmoid(-answers));
  }

  std::vector<std::shared_ptr<Model>> members_;
  std::vector<int64_t> classes_in_;  // by task
};

struct Ensemble : ModelHolder<EnsembleImpl> {
  using Impl = EnsembleImpl;
  Ensemble(std::nullptr_t) : ModelHolder(nullptr) {}
  explicit Ensemble(std::shared_ptr<Impl> model) : ModelHolder(std::move(model)) {}
  explicit Ensemble(std::vector<std::shared_ptr<Model>> members)
      : ModelHolder(std::move(members)) {}
};

}  // namespace mtl
