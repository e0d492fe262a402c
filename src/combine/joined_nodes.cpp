#include "joined_nodes.hpp"

#include <torch/autograd.h>
#include <torch/csrc/autograd/graph_task.h>

#include <algorithm>
#include <cstddef>
#include <utility>

namespace mtl {

using torch::autograd::variable_list;

std::vector<Tensor> summed(const Exchange& exchange, std::vector<Tensor> tensors) {
  StartedSum all = exchange.start(std::move(tensors));
  all.wait();
  return std::move(all.sums);
}

namespace {

/// Whether the pass under way goes on through `node`, and nobody asks for the gradient there.
bool goes_through(const torch::autograd::Node& node) {
  const auto* of_nodes = torch::autograd::get_current_graph_task_exec_info();
  if (of_nodes == nullptr) return false;  // the engine runs this node by itself, to stop there
  if (of_nodes->empty()) return true;
  const auto found = of_nodes->find(const_cast<torch::autograd::Node*>(&node));
  return found != of_nodes->end() && found->second.needed_ && !found->second.captures_;
}

}  // namespace

variable_list JoinedNode::apply(variable_list&& outer) {
  std::vector<Tensor> from, along;
  std::vector<bool> wanted(inputs.size(), false), here(inputs.size(), false);
  for (size_t t = 0; t < outer.size(); ++t) {
    if (!outer[t].defined()) continue;
    const bool walks = own[t].defined() && own[t].requires_grad();
    for (size_t i = 0; i < inputs.size(); ++i) {
      wanted[i] = wanted[i] || reached[t][i];
      here[i] = here[i] || (walks && reached_here[t][i]);
    }
    if (!walks) continue;
    from.push_back(own[t]);
    along.push_back((outer[t] * shares[t]).to(own[t].scalar_type()).reshape(own[t].sizes()));
  }
  auto* share = kept > 0 ? dynamic_cast<ShareNode*>(next_edge(0).function.get()) : nullptr;
  const bool through = share != nullptr && wanted[0] && goes_through(*share);
  if (share != nullptr) share->found_before.clear();
  variable_list inner(inputs.size());
  Asked asked;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!wanted[i] || !task_should_compute_output(i)) continue;
    if (i < kept && through) continue;
    if (i < kept) {
      inner[i] = torch::zeros_like(inputs[i]);
      if (here[i]) asked.stay.push_back(i);
    } else {
      asked.travel.push_back(i);
      asked.here.push_back(here[i]);
    }
  }
  StartedSum sums = through ? found_through(from, along, asked, here[0], *share)
                            : found(from, along, asked, inner);
  for (size_t m = 0; m < asked.travel.size(); ++m) inner[asked.travel[m]] = std::move(sums.sums[m]);
  if (!sums.wait) return inner;
  if (defers_)
    under_way_.push_back(std::move(sums.wait));
  else
    sums.wait();
  return inner;
}

StartedSum JoinedNode::found_through(const std::vector<Tensor>& from,
                                     const std::vector<Tensor>& along, Asked asked,
                                     bool reaches_share, ShareNode& share) const {
  // The heads last: theirs are found first, and leave first.
  std::vector<Tensor> all;
  std::vector<bool> here;
  std::vector<size_t> place;
  for (size_t i = 0; i < share.inputs.size(); ++i) {
    if (!share.task_should_compute_output(i)) continue;
    bool around = false;  // also reached around the representation: one gradient of both
    for (size_t m = 0; m < asked.travel.size(); ++m) {
      if (!inputs[asked.travel[m]].is_same(share.inputs[i])) continue;
      asked.here[m] = asked.here[m] || reaches_share;
      around = true;
    }
    if (around) continue;
    all.push_back(share.inputs[i]);
    here.push_back(reaches_share);
    place.push_back(i);
  }
  const size_t behind = all.size();
  for (size_t m = 0; m < asked.travel.size(); ++m) {
    all.push_back(inputs[asked.travel[m]]);
    here.push_back(asked.here[m]);
  }
  share.found_before.resize(share.inputs.size());
  if (all.empty()) return {};
  StartedSum sums = summed_pass(*exchange, from, along, all, here);
  for (size_t i = 0; i < behind; ++i) share.found_before[place[i]] = std::move(sums.sums[i]);
  sums.sums.erase(sums.sums.begin(), sums.sums.begin() + static_cast<std::ptrdiff_t>(behind));
  return sums;
}

StartedSum JoinedNode::found(const std::vector<Tensor>& from, const std::vector<Tensor>& along,
                             const Asked& asked, variable_list& inner) const {
  std::vector<Tensor> travel, wanted;
  for (const size_t i : asked.travel) travel.push_back(inputs[i]);
  if (asked.stay.empty())
    return travel.empty() ? StartedSum() : summed_pass(*exchange, from, along, travel, asked.here);
  for (const size_t i : asked.stay) wanted.push_back(inputs[i]);
  for (size_t m = 0; m < travel.size(); ++m)
    if (asked.here[m]) wanted.push_back(travel[m]);
  auto gradients = torch::autograd::grad(from, wanted, along, /*retain_graph=*/true,
                                         /*create_graph=*/false, /*allow_unused=*/true);
  size_t next = 0;
  for (const size_t i : asked.stay) {
    if (gradients[next].defined()) inner[i] = std::move(gradients[next]);
    ++next;
  }
  if (travel.empty()) return {};
  std::vector<Tensor> known(travel.size());
  for (size_t m = 0; m < travel.size(); ++m)
    if (asked.here[m]) known[m] = std::move(gradients[next++]);
  return summed_gradients(*exchange, std::move(known), travel);
}

void JoinedNode::arrive() {
  defers_ = false;
  const auto all = std::exchange(under_way_, {});
  for (const auto& wait : all) wait();
}

void JoinedNode::forget() noexcept {
  defers_ = false;
  under_way_.clear();
}

Eigen::MatrixXd ShareNode::sum(const Eigen::MatrixXd& numbers) const {
  Tensor all = torch::empty({numbers.cols(), numbers.rows()}, torch::kDouble);
  std::copy(numbers.data(), numbers.data() + numbers.size(), all.data_ptr<double>());
  all = summed(*exchange, {all}).front().contiguous();
  return Eigen::Map<const Eigen::MatrixXd>(all.data_ptr<double>(), numbers.rows(), numbers.cols());
}

variable_list ShareNode::apply(variable_list&& outer) {
  variable_list inner = std::exchange(found_before, {});
  if (!inner.empty() && !outer.front().defined()) return inner;
  inner.resize(inputs.size());
  std::vector<Tensor> from, along, wanted;
  std::vector<size_t> place;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!task_should_compute_output(i)) continue;
    wanted.push_back(inputs[i]);
    place.push_back(i);
  }
  const bool walks = own.defined() && own.requires_grad() && outer.front().defined();
  if (walks) {
    from.push_back(own);
    along.push_back(outer.front());
  }
  StartedSum sums =
      summed_pass(*exchange, from, along, wanted, std::vector<bool>(wanted.size(), walks));
  sums.wait();
  for (size_t p = 0; p < place.size(); ++p) {
    Tensor& gradient = inner[place[p]];
    gradient = gradient.defined() ? gradient + sums.sums[p] : std::move(sums.sums[p]);
  }
  return inner;
}

}  // namespace mtl
