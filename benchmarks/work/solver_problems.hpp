#pragma once

#include <Eigen/Core>

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace benchmarks {

/// A name and what it computes from a Gramian [T,T].
using NamedSolver = std::pair<std::string, std::function<Eigen::VectorXd(const Eigen::MatrixXd&)>>;

/// Those that benchmarks/peers.py has counterparts of, and some more.
std::vector<NamedSolver> named_solvers();

/// Gramians of five Jacobians diag(10^u) Z, u ~ U(-1/2, 1/2), Z ~ N(0, 1) of shape [T, 2T], drawn
/// after manual_seed(T); benchmarks/peers.py draws the same.
std::vector<Eigen::MatrixXd> gramians(int64_t tasks);

}  // namespace benchmarks
