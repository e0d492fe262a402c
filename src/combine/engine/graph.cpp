#include "graph.hpp"

#include <algorithm>
#include <ranges>
#include <unordered_map>
#include <utility>

#include "nodes.hpp"

namespace mtl::engine {
namespace {

using torch::Tensor;

bool is_real_matrix(const Tensor& tensor) {
  return tensor.defined() && tensor.layout() == at::kStrided && tensor.dim() == 2 &&
         (tensor.scalar_type() == at::kFloat || tensor.scalar_type() == at::kDouble);
}

struct Use {
  size_t item;  // the node that uses
  size_t edge;  // which of its edges
};

struct Item {
  Node* node = nullptr;
  Operation operation = Operation::other;
  int owner = nobody;
  bool needed = false;  // leads to a column
  bool root = false;    // a loss
  std::optional<size_t> column;
  std::vector<Use> uses;                    // of columns and of transposes
  std::vector<std::optional<size_t>> next;  // by edge
};

void add_owner(int& owner, int other) {
  if (owner == nobody) {
    owner = other;
  } else if (owner != other) {
    owner = several;
  }
}

class Walk {
 public:
  Walk(const std::vector<Tensor>& losses, const std::vector<Tensor>& columns,
       const std::vector<Tensor>& task_parameters)
      : losses_(losses), columns_(columns), task_parameters_(task_parameters) {
    for (size_t c = 0; c < columns.size(); ++c) {
      column_edges_.push_back(target_of(columns[c]).edge);
      if (column_edges_[c].function) column_of_.emplace(column_edges_[c].function.get(), c);
    }
    visit();
    order_items();
    find_owners();
  }

  Plan plan(const std::vector<Tensor>& behind);

 private:
  void visit();
  void order_items();
  void find_owners();
  std::optional<size_t> find(const Edge& edge) const;
  int owner(const Edge& edge) const;
  std::optional<LinearSite> site_of(size_t column) const;
  std::optional<size_t> bias_of(const LinearSite& site) const;
  bool fits(const LinearSite& site) const;
  std::optional<Replay> replay_of(const std::vector<LinearSite>& sites) const;
  using StepOf = std::vector<std::optional<size_t>>;  // by item
  bool add_heads(Replay& replay, const StepOf& step_of) const;
  bool add_edges(Replay& replay, HeadStep& head, const Item& item, const StepOf& step_of,
                 const StepOf& head_of) const;

  const std::vector<Tensor>& losses_;
  const std::vector<Tensor>& columns_;
  const std::vector<Tensor>& task_parameters_;
  std::vector<Edge> column_edges_;
  std::unordered_map<Node*, size_t> column_of_;
  std::unordered_map<Node*, size_t> index_;
  std::vector<Item> items_;    // in the order they were found
  std::vector<size_t> order_;  // consumers first
  std::vector<std::pair<size_t, int>> roots_;
  bool goes_around_ = false;
};

bool on_one_device(const std::vector<Tensor>& tensors) {
  return std::all_of(tensors.begin(), tensors.end(), [&](const Tensor& tensor) {
    return tensor.device() == tensors.front().device();
  });
}

void Walk::visit() {
  std::vector<size_t> open;
  const auto add = [&](Node* node) {
    const auto [place, is_new] = index_.try_emplace(node, items_.size());
    if (is_new) {
      auto& item = items_.emplace_back();
      item.node = node;
      item.operation = operation_of(*node);
      if (const auto found = column_of_.find(node); found != column_of_.end())
        item.column = found->second;
      open.push_back(place->second);
    }
    return place->second;
  };
  for (size_t t = 0; t < losses_.size(); ++t) {
    const auto edge = target_of(losses_[t]).edge;
    if (!edge.function) continue;
    const auto root = add(edge.function.get());
    items_[root].root = true;
    roots_.emplace_back(root, static_cast<int>(t));
  }
  while (!open.empty()) {
    const auto current = open.back();
    open.pop_back();
    // An interior column (the representation) ends the walk: what lies behind it is not asked for.
    if (items_[current].column) continue;
    const auto& edges = items_[current].node->next_edges();
    std::vector<std::optional<size_t>> next(edges.size());
    for (size_t e = 0; e < edges.size(); ++e) {
      if (!edges[e].function) continue;
      const auto target = add(edges[e].function.get());
      next[e] = target;
      const auto& column = items_[target].column;
      if (column && edges[e].input_nr != column_edges_[*column].input_nr) goes_around_ = true;
      if (items_[target].column || items_[target].operation == Operation::transpose) {
        items_[target].uses.push_back({current, e});
      }
    }
    items_[current].next = std::move(next);
  }
}

void Walk::order_items() {
  order_.resize(items_.size());
  std::vector<uint64_t> height(items_.size());
  for (size_t i = 0; i < items_.size(); ++i) {
    order_[i] = i;
    height[i] = items_[i].node->topological_nr();
  }
  std::sort(order_.begin(), order_.end(),
            [&](size_t a, size_t b) { return height[a] > height[b]; });
}

void Walk::find_owners() {
  for (const auto& [root, task] : roots_) add_owner(items_[root].owner, task);
  for (const auto i : order_) {
    for (const auto& target : items_[i].next) {
      if (target) add_owner(items_[*target].owner, items_[i].owner);
    }
  }
  for (const auto i : order_ | std::views::reverse) {
    auto& item = items_[i];
    item.needed = item.column.has_value();
    for (const auto& target : item.next)
      item.needed = item.needed || (target && items_[*target].needed);
  }
}

std::optional<size_t> Walk::find(const Edge& edge) const {
  if (!edge.function) return {};
  const auto found = index_.find(edge.function.get());
  return found == index_.end() ? std::nullopt : std::optional(found->second);
}

int Walk::owner(const Edge& edge) const {
  const auto item = find(edge);
  return item ? items_[*item].owner : nobody;
}

// A weight is a site if every use of it is the transposed factor of a product x W^T that several
// tasks reach.
std::optional<LinearSite> Walk::site_of(size_t column) const {
  const auto leaf = find(column_edges_[column]);
  if (!leaf || items_[*leaf].root || items_[*leaf].uses.empty() || !columns_[column].is_leaf() ||
      !is_real_matrix(columns_[column]) || has_hooks(columns_[column]) ||
      has_hooks(*items_[*leaf].node)) {
    return {};
  }
  LinearSite site;
  site.weight = column;
  for (const auto& use : items_[*leaf].uses) {
    const auto& transpose = items_[use.item];
    if (transpose.operation != Operation::transpose || transpose.root || has_hooks(*transpose.node))
      return {};
    for (const auto& product_use : transpose.uses) {
      const auto& product = items_[product_use.item];
      if (!is_linear(product.operation) || product_use.edge != weight_edge(product.operation) ||
          product.owner != several || !is_plain_sum(*product.node, product.operation) ||
          has_hooks(*product.node)) {
        return {};
      }
      auto input = saved_input(*product.node, product.operation);
      if (!is_real_matrix(input) || input.scalar_type() != columns_[column].scalar_type())
        return {};
      site.outputs.push_back(output_of(*product.node));
      site.inputs.push_back(std::move(input));
    }
  }
  return site;
}

std::optional<size_t> Walk::bias_of(const LinearSite& site) const {
  const auto& edge = site.outputs.front().edge.function->next_edge(0);
  const auto leaf = find(edge);
  if (!leaf || !items_[*leaf].column || items_[*leaf].root) return {};
  const auto column = *items_[*leaf].column;
  const auto& bias = columns_[column];
  if (!bias.is_leaf() || has_hooks(bias) || has_hooks(*items_[*leaf].node) ||
      bias.numel() != columns_[site.weight].size(0) ||
      bias.scalar_type() != columns_[site.weight].scalar_type() || bias.size(-1) != bias.numel() ||
      items_[*leaf].uses.size() != site.outputs.size()) {
    return {};
  }
  for (const auto& use : items_[*leaf].uses) {
    const auto& user = items_[use.item];
    if (user.operation != Operation::addmm || use.edge != 0 ||
        std::none_of(site.outputs.begin(), site.outputs.end(), [&](const Target& output) {
          return output.edge.function.get() == user.node;
        })) {
      return {};
    }
  }
  return column;
}

Plan Walk::plan(const std::vector<Tensor>& behind) {
  Plan plan;
  plan.goes_around = goes_around_;
  for (const auto& parameter : behind) {
    plan.goes_around = plan.goes_around || owner(target_of(parameter).edge) != nobody;
  }
  for (const auto& edge : column_edges_) plan.column_owner.push_back(owner(edge));
  for (const auto& parameter : task_parameters_) {
    plan.task_parameter_owner.push_back(owner(target_of(parameter).edge));
  }
  for (size_t c = 0; c < columns_.size(); ++c) {
    if (auto site = site_of(c)) {
      site->bias = bias_of(*site);
      plan.sites.push_back(std::move(*site));
    }
  }
  plan.replay = replay_of(plan.sites);
  return plan;
}

std::optional<Replay> Walk::replay_of(const std::vector<LinearSite>& sites) const {
  if (!on_one_device(columns_)) return {};
  std::unordered_map<const Node*, std::pair<size_t, size_t>> use_of;
  std::vector<bool> covered(columns_.size(), false);
  for (size_t s = 0; s < sites.size(); ++s) {
    covered[sites[s].weight] = true;
    if (sites[s].bias) covered[*sites[s].bias] = true;
    for (size_t u = 0; u < sites[s].outputs.size(); ++u) {
      use_of[sites[s].outputs[u].edge.function.get()] = {s, u};
    }
  }
  Replay replay;
  StepOf step_of(items_.size());
  const auto is_step = [&](const Item& item) {
    return item.owner == several && item.needed && !item.column &&
           item.operation != Operation::transpose;
  };
  for (const auto i : order_) {
    const auto& item = items_[i];
    if (item.owner != several || !item.needed || item.root) {
      if (item.root && item.owner == several) return {};
      continue;
    }
    if (item.column) {
      // A leaf needs a site; an interior column ends the shared part.
      if (columns_[*item.column].is_leaf() && !covered[*item.column]) return {};
      if (columns_[*item.column].is_leaf()) continue;
    } else if (item.operation == Operation::transpose) {
      const auto& source =
          item.next[0];  // of a leaf: part of a site, or else that leaf is not covered
      if (!source || !items_[*source].column || !columns_[*items_[*source].column].is_leaf())
        return {};
      continue;
    }
    if (has_hooks(*item.node) || item.node->num_inputs() != 1 || !on_current_stream(*item.node))
      return {};
    if (!item.column && item.operation == Operation::other) return {};
    step_of[i] = replay.steps.size();
    replay.steps.push_back({});
    replay.steps.back().node = item.node;
    replay.steps.back().column = item.column;
  }
  for (const auto i : order_) {
    if (!step_of[i] || items_[i].column) continue;
    const auto& item = items_[i];
    auto& step = replay.steps[*step_of[i]];
    step.operation = item.operation;
    step.next.resize(item.next.size());
    for (size_t e = 0; e < item.next.size(); ++e) {
      if (!item.next[e] || !items_[*item.next[e]].needed) continue;
      const auto& target = items_[*item.next[e]];
      if (is_step(target) || (target.column && step_of[*item.next[e]])) {
        if (is_linear(item.operation) && e != input_edge(item.operation)) return {};
        step.next[e] = *step_of[*item.next[e]];
      } else if (!is_linear(item.operation)) {
        return {};  // a leaf used element by element has no site
      }
    }
    if (!is_linear(item.operation)) continue;
    if (const auto use = use_of.find(item.node); use != use_of.end()) {
      step.site = use->second.first;
      step.use = use->second.second;
    }
    if (step.next[input_edge(item.operation)]) {
      if (!is_plain_sum(*item.node, item.operation)) return {};
      step.weight = saved_weight(*item.node, item.operation);
      if (!is_real_matrix(step.weight)) return {};
    }
  }
  if (!add_heads(replay, step_of)) return {};
  return replay;
}

// The tasks' own parts, as far as they lead to the shared part or to what is asked for. False where
// a hook waits, another stream works, or tasks share what is asked for behind their heads.
bool Walk::add_heads(Replay& replay, const StepOf& step_of) const {
  std::vector<bool> asked(items_.size(), false);
  for (const auto& parameter : task_parameters_)
    if (owner(target_of(parameter).edge) == several) return false;
  for (const auto* tensors : {&columns_, &task_parameters_}) {
    for (const auto& tensor : *tensors) {
      const auto item = find(target_of(tensor).edge);
      if (!item || items_[*item].owner < 0) continue;
      if (tensor.is_leaf() && has_hooks(tensor)) return false;
      asked[*item] = true;
    }
  }
  auto leads = asked;
  for (const auto i : order_ | std::views::reverse) {
    if (items_[i].owner < 0) continue;
    for (const auto& target : items_[i].next)
      leads[i] = leads[i] ||
                 (target && (items_[*target].owner < 0 ? items_[*target].needed : leads[*target]));
  }
  StepOf head_of(items_.size());
  for (const auto i : order_) {
    if (items_[i].owner < 0 || !leads[i]) continue;
    head_of[i] = replay.heads.size();
    replay.heads.push_back({items_[i].node, items_[i].operation, items_[i].owner, asked[i]});
  }
  for (const auto i : order_)
    if (head_of[i] && !add_edges(replay, replay.heads[*head_of[i]], items_[i], step_of, head_of))
      return false;
  const auto place = [&](const Edge& edge, size_t index, std::vector<HeadGradient>& places) {
    if (const auto item = find(edge); item && head_of[*item])
      places.push_back({*head_of[*item], edge.input_nr, index});
  };
  for (size_t t = 0; t < losses_.size(); ++t) place(target_of(losses_[t]).edge, t, replay.losses);
  for (size_t c = 0; c < columns_.size(); ++c) place(column_edges_[c], c, replay.columns);
  for (size_t p = 0; p < task_parameters_.size(); ++p)
    place(target_of(task_parameters_[p]).edge, p, replay.task_parameters);
  return true;
}

bool Walk::add_edges(Replay& replay, HeadStep& head, const Item& item, const StepOf& step_of,
                     const StepOf& head_of) const {
  head.next.resize(item.next.size());
  head.across.resize(item.next.size());
  for (size_t e = 0; e < item.next.size(); ++e) {
    if (!item.next[e]) continue;
    const auto& target = items_[*item.next[e]];
    head.next[e] = head_of[*item.next[e]];
    const bool crosses = target.owner == several && target.needed;
    if (crosses) head.across[e] = step_of[*item.next[e]];
    if (crosses && !head.across[e]) return false;
    head.runs = head.runs || head.next[e] || head.across[e];
  }
  if (!head.runs) return true;
  if (has_hooks(*item.node) || !on_current_stream(*item.node)) return false;
  if (!is_linear(item.operation) || !is_plain_sum(*item.node, item.operation)) return true;
  auto& input = head.across[input_edge(item.operation)];
  if (!input || head.across[weight_edge(item.operation)]) return true;
  auto weight = saved_weight(*item.node, item.operation);
  if (!is_real_matrix(weight)) return true;
  head.crossing = replay.crossings.size();
  replay.crossings.push_back({item.owner, std::move(weight), *std::exchange(input, {})});
  return true;
}

}  // namespace

int64_t LinearSite::samples() const {
  int64_t sum = 0;
  for (const auto& input : inputs) sum += input.size(0);
  return sum;
}

Plan make_plan(const std::vector<Tensor>& losses, const std::vector<Tensor>& columns,
               const std::vector<Tensor>& task_parameters, const std::vector<Tensor>& behind) {
  return Walk(losses, columns, task_parameters).plan(behind);
}

}  // namespace mtl::engine
