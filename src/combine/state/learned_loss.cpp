#include "mtl/combine/state/learned_loss.hpp"

#include <iterator>
#include <utility>

#include "../new_node.hpp"
#include "mtl/combine/scalars.hpp"

namespace mtl {
namespace {

using torch::autograd::variable_list;

struct LearnedLossNode : torch::autograd::Node {
  std::vector<Tensor> losses, numbers;
  LearnedFormula formula;
  Tensor by_loss, by_number;  // without graph

  variable_list apply(variable_list&& outer) override {
    if (!outer.front().defined()) return variable_list(num_outputs());
    if (!torch::GradMode::is_enabled()) return times(by_loss, by_number, outer.front());
    const LearnedLoss again = formula(stacked(losses), stacked(numbers));
    return times(again.by_loss, again.by_number, outer.front());
  }

 private:
  static variable_list times(const Tensor& of_losses, const Tensor& of_numbers,
                             const Tensor& outer) {
    variable_list all = (of_losses * outer).unbind(0);
    variable_list rest = (of_numbers * outer).unbind(0);
    all.insert(all.end(), std::make_move_iterator(rest.begin()),
               std::make_move_iterator(rest.end()));
    return all;
  }
};

}  // namespace

Tensor learned_loss(std::vector<Tensor> losses, std::vector<Tensor> numbers,
                    LearnedFormula formula) {
  LearnedLoss known;
  {
    const torch::NoGradGuard no_grad;
    known = formula(stacked(losses), stacked(numbers));
  }
  if (!torch::GradMode::is_enabled()) return known.value;
  std::vector<Tensor> inputs = losses;
  inputs.insert(inputs.end(), numbers.begin(), numbers.end());
  const NewNode<LearnedLossNode> node(inputs);
  node->losses = std::move(losses);
  node->numbers = std::move(numbers);
  node->formula = std::move(formula);
  node->by_loss = std::move(known.by_loss);
  node->by_number = std::move(known.by_number);
  node.gives(known.value);
  return known.value;
}

}  // namespace mtl
