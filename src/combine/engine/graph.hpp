#pragma once

#include <optional>
#include <vector>

#include "capture.hpp"
#include "nodes.hpp"

namespace mtl::engine {

/// Who reaches a node of the graph: the index of a task, or one of these.
inline constexpr int nobody = -2;
inline constexpr int several = -1;

/// A weight all of whose uses are y = x W^T (+ b), each at one node of the graph.
struct LinearSite {
  size_t weight = 0;                  // column
  std::optional<size_t> bias;         // column whose uses are exactly these, too
  std::vector<Target> outputs;        // by use: where the gradient of y [N, out] flows
  std::vector<torch::Tensor> inputs;  // by use: x [N, in]

  int64_t samples() const;  // N of all uses
};

/// One node of a task's own part of the graph, to be run once.
struct HeadStep {
  Node* node = nullptr;
  Operation operation = Operation::other;
  int task = 0;
  bool asked = false;                              // its gradient itself is wanted
  bool runs = false;                               // gradients behind it are
  std::vector<std::optional<size_t>> next = {};    // by edge: the later head step it goes to
  std::vector<std::optional<size_t>> across = {};  // by edge: the replay step it goes to
  std::optional<size_t> crossing = {};             // a linear layer whose input is a replay step's
};

/// Where a linear layer of one task meets the part that several tasks share.
struct Crossing {
  int task = 0;
  torch::Tensor weight;  // [out, in]
  size_t step = 0;       // the replay step that its input's gradient goes to
};

/// The gradient at an input of a head step, and whose it is.
struct HeadGradient {
  size_t step = 0, input = 0;
  size_t index = 0;  // of a loss, column or task parameter
};

/// One node of the shared part, to be run once for all tasks.
struct ReplayStep {
  Node* node = nullptr;
  Operation operation = Operation::other;
  std::optional<size_t> site, use;  // of a linear layer whose gradient [T, N, out] is wanted
  torch::Tensor weight;             // of a linear layer whose input needs a gradient [out, in]
  std::vector<std::optional<size_t>> next;  // by edge: the later step that receives the gradient
  std::optional<size_t> column;             // the representation, where the shared part ends
};

/// The graph as lists of steps, consumers first.
struct Replay {
  std::vector<HeadStep> heads;
  std::vector<Crossing> crossings;
  std::vector<HeadGradient> losses, columns, task_parameters;  // those that one task alone reaches
  std::vector<ReplayStep> steps;
};

/// What a walk over the graph of one step found out.
struct Plan {
  std::vector<int> column_owner;          // by column
  std::vector<int> task_parameter_owner;  // by task parameter
  std::vector<LinearSite> sites;          // columns in none of them are known by their rows only
  std::optional<Replay> replay;           // where no node needs autograd's engine around it
  bool goes_around = false;  // the losses reach `behind` other than through an interior column
};

/// Walks the graph from `losses` once, no further than to an interior column (the representation);
/// `behind` are the parameters that should be reached through that alone.
Plan make_plan(const std::vector<torch::Tensor>& losses, const std::vector<torch::Tensor>& columns,
               const std::vector<torch::Tensor>& task_parameters,
               const std::vector<torch::Tensor>& behind);

}  // namespace mtl::engine
