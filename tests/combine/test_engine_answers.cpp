// What the engine does beside the Gramian: hooks, layouts, writing gradients, the representation,
// size and errors.
#include <limits>

#include "combine/engine_problem.hpp"
#include "mtl/core/error.hpp"

namespace {

namespace F = torch::nn::functional;
using namespace engine_tests;
using torch::Tensor;

}  // namespace

TEST_CASE("Engine: hooks see what they see in backward()") {
  const auto twice = [](Tensor gradient) { return gradient * 2; };
  const auto clipped = [](Tensor gradient) { return gradient.clamp(-0.05, 0.05); };
  torch::manual_seed(1);
  PlainNet net;
  const auto w = net.parameter({6, 6}), b = net.parameter({6}), v = net.parameter({6, 6});
  net.add_heads(3, 6);
  const auto x = torch::randn({5, 6}, torch::kDouble);
  const auto encode = [=](int place, const std::function<Tensor(Tensor)>& hook) {
    const auto y = F::linear(x, w, b);
    if (place == 0) y.register_hook(hook);
    const auto z = torch::relu(y);
    if (place == 1) z.register_hook(hook);
    const auto r = torch::tanh(F::linear(z, v));
    if (place == 2) r.register_hook(hook);
    if (place == 3) r.retain_grad();
    return r;
  };
  for (const int place : {0, 1, 2, 3}) {
    INFO("place " << place);
    check_engine(problem(net, [=] { return encode(place, twice); }), exact);
  }
  SECTION("of a parameter") {
    // Not linear: hooks must see each task's gradient by itself, so nothing may be asked of a
    // single weighted backward.
    const auto handle = v.register_hook(clipped);
    const auto with_hook = problem(net, [=] { return encode(-1, twice); });
    const auto rows = backward_rows(with_hook, with_hook.shared);
    mtl::Engine engine;
    start(engine, with_hook.step());
    CHECK(distance(engine.gramian(), plain_gramian(rows, 3)) <= exact);
    v.remove_hook(handle);
  }
  SECTION("of a loss") {
    const auto plain = problem(net, [=] { return encode(-1, twice); });
    check_engine({[=] {
                    auto losses = plain.losses();
                    losses[1].register_hook(twice);
                    return losses;
                  },
                  net.shared, net.heads},
                 exact);
  }
}

TEST_CASE("Engine: casts, custom functions, sparse gradients, other layouts") {
  torch::manual_seed(1);
  PlainNet net(torch::kFloat);
  const auto w = net.parameter({8, 8}), b = net.parameter({8});
  net.add_heads(3, 8);
  SECTION("half precision as under autocast") {
    const auto x = torch::randn({5, 8});
    check_engine(
        problem(net,
                [=] {
                  return torch::relu(F::linear(x.to(torch::kBFloat16), w.to(torch::kBFloat16),
                                               b.to(torch::kBFloat16)))
                      .to(torch::kFloat);
                }),
        2e-3);  // automatic and row paths add the same rows in another order
  }
  SECTION("a function of one's own") {
    struct Cube : torch::autograd::Function<Cube> {
      static Tensor forward(torch::autograd::AutogradContext* context, Tensor x) {
        context->save_for_backward({x});
        return x.pow(3);
      }
      static torch::autograd::tensor_list backward(torch::autograd::AutogradContext* context,
                                                   torch::autograd::tensor_list gradient) {
        return {gradient[0] * 3 * context->get_saved_variables()[0].square()};
      }
    };
    const auto x = torch::randn({5, 8});
    check_engine(problem(net, [=] { return Cube::apply(F::linear(x, w, b)); }), single_precision);
  }
  SECTION("sparse embedding") {
    const auto words = torch::randint(0, 8, {5});
    check_engine(
        problem(net, [=] { return torch::embedding(w, words, -1, false, /*sparse=*/true) + b; }),
        single_precision);
  }
  SECTION("one gradient tensor for two parameters") {
    const auto both = net.parameter({8});
    const auto x = torch::randn({5, 8});
    check_engine(problem(net, [=] { return x * (b + both) + F::linear(x, w); }), single_precision);
  }
  SECTION("channels last") {
    const auto kernel = (torch::randn({6, 3, 3, 3}) / 3)
                            .contiguous(torch::MemoryFormat::ChannelsLast)
                            .requires_grad_();
    net.shared.push_back(kernel);
    const auto x = torch::randn({5, 3, 6, 6}).contiguous(torch::MemoryFormat::ChannelsLast);
    check_engine(problem(net,
                         [=] {
                           return F::linear(
                               torch::conv2d(x, kernel).flatten(1).slice(1, 0, 8).contiguous(), w,
                               b);
                         }),
                 1e-4);
    mtl::Engine engine;
    start(engine, problem(net, [=] {
                    return F::linear(
                        torch::conv2d(x, kernel).flatten(1).slice(1, 0, 8).contiguous(), w, b);
                  }).step());
    engine.gramian();
    engine.write_gradients(Eigen::VectorXd::Ones(3), mtl::HeadGradient::plain);
    CHECK(kernel.grad().strides() == kernel.strides());
  }
}

TEST_CASE("Engine: gradients are added to what is there, as backward() does") {
  const auto net = two_layers(torch::kDouble, 3, [](Tensor x) { return torch::relu(x); });
  auto everything = net.shared;
  for (const auto& parameter : net.head_parameters()) everything.push_back(parameter);
  clear_gradients(everything);
  const Eigen::VectorXd weights = Eigen::VectorXd::LinSpaced(3, 1, 2);
  mtl::Engine engine;
  start(engine, net.step());
  engine.gramian();
  engine.write_gradients(weights, mtl::HeadGradient::weighted);
  Tensors once;
  for (const auto& parameter : everything) once.push_back(parameter.grad().clone());
  const auto* address = everything[0].grad().data_ptr();
  start(engine, net.step());
  engine.gramian();
  engine.write_gradients(weights, mtl::HeadGradient::weighted);
  for (size_t p = 0; p < everything.size(); ++p)
    CHECK(distance(everything[p].grad(), 2 * once[p]) <= exact);
  CHECK(everything[0].grad().data_ptr() ==
        address);  // in place, so that views of flat gradients stay views
  for (const auto& parameter : everything) CHECK_FALSE(parameter.grad().requires_grad());
  clear_gradients(everything);
}

TEST_CASE(
    "Engine: a direction of one's own goes to the shared parameters, the heads get their losses") {
  const auto net = two_layers(torch::kDouble, 3, [](Tensor x) { return torch::relu(x); });
  const auto head_rows = backward_rows(net, net.head_parameters());
  Tensors direction;
  for (const auto& parameter : net.shared)
    direction.push_back(torch::randn_like(parameter).detach());
  direction[1] = Tensor();
  const Eigen::VectorXd head_weights = Eigen::VectorXd::LinSpaced(3, 1, 2);
  for (const bool asked_before : {true, false}) {
    mtl::Engine engine;
    start(engine, net.step());
    if (asked_before) engine.rows();
    engine.write_direction(direction, head_weights);
    for (size_t p = 0; p < direction.size(); ++p)
      CHECK(distance(net.shared[p].grad(), direction[p]) == 0);
    const auto parameters = net.head_parameters();
    for (size_t p = 0; p < parameters.size(); ++p) {
      CHECK(distance(parameters[p].grad(), plain_sum(head_rows[p], head_weights)) <= exact);
    }
    clear_gradients(net.shared);
    clear_gradients(parameters);
  }
}

TEST_CASE("Engine: gradients at the shared representation") {
  torch::manual_seed(1);
  PlainNet net;
  const auto w = net.parameter({6, 6}), b = net.parameter({6});
  net.add_heads(3, 6);
  const auto x = torch::randn({5, 6}, torch::kDouble);
  const auto encode = [=] { return torch::tanh(F::linear(x, w, b)); };
  const Eigen::VectorXd weights = Eigen::VectorXd::LinSpaced(3, 0.5, 2);
  for (const bool linear_heads : {true, false}) {
    const auto losses = [=](const Tensor& z) {
      Tensors values;
      for (size_t t = 0; t < 3; ++t) values.push_back(net.head_loss(t, linear_heads ? z : z.sin()));
      return values;
    };
    const auto z = encode();
    const auto leaf = z.detach().requires_grad_();
    const Problem at_leaf{[=] { return losses(leaf); }, {leaf}, net.heads};
    const auto rows = backward_rows(at_leaf, {leaf});
    const auto head_rows = backward_rows(at_leaf, at_leaf.head_parameters());
    const auto shared_rows =
        backward_rows({[=] { return losses(encode()); }, net.shared, net.heads}, net.shared);
    for (const auto path : {mtl::EnginePath::automatic, mtl::EnginePath::rows}) {
      mtl::Engine engine({.path = path});
      start(engine, {losses(z), net.shared, z, net.heads});
      CHECK(distance(engine.gramian(), plain_gramian(rows, 3)) <= exact);
      CHECK(distance(engine.rows()[0][1], rows[0][1]) <= exact);
      engine.write_gradients(weights, mtl::HeadGradient::plain);
      for (size_t p = 0; p < 2; ++p)
        CHECK(distance(net.shared[p].grad(), plain_sum(shared_rows[p], weights)) <= exact);
      const auto parameters = at_leaf.head_parameters();
      for (size_t p = 0; p < parameters.size(); ++p) {
        CHECK(distance(parameters[p].grad(), plain_sum(head_rows[p], Eigen::VectorXd::Ones(3))) <=
              exact);
      }
      clear_gradients(net.shared);
      clear_gradients(parameters);
    }
  }
  SECTION("which the losses must not go around") {
    const auto z = encode();
    mtl::Engine engine;
    start(engine, {{net.head_loss(0, z), net.head_loss(1, z) + b.sum()}, net.shared, z, {}});
    CHECK_THROWS_AS(engine.gramian(), mtl::Error);
  }
  SECTION("which must not have a hook") {
    const auto z = encode();
    z.register_hook([](Tensor gradient) { return gradient * 2; });
    mtl::Engine engine;
    CHECK_THROWS_AS(start(engine, {{net.head_loss(0, z)}, net.shared, z, {}}), mtl::Error);
  }
}

TEST_CASE("Engine: Gramian at the size of millions of parameters") {
  for (const int64_t samples : {16, 1500}) {  // few: through products; many: through rows
    torch::manual_seed(3);
    const int64_t width = samples == 16 ? 4096 : 1024;
    const auto x = torch::randn({samples, width}, torch::kDouble);
    const auto w = torch::randn({width, width}, torch::kDouble) / std::sqrt(width);
    const auto heads = torch::randn({3, width}, torch::kDouble) / std::sqrt(width) + 0.05;
    const auto target = torch::randn({3, samples}, torch::kDouble);
    const auto gramian_in = [&](torch::ScalarType type, mtl::EnginePath path) {
      const auto weight = w.to(type).detach().requires_grad_();
      const auto z = torch::relu(F::linear(x.to(type), weight));
      Tensors losses;
      for (int64_t t = 0; t < 3; ++t)
        losses.push_back((z.mv(heads[t].to(type)) - target[t].to(type)).pow(2).mean());
      mtl::Engine engine({.path = path});
      start(engine, {losses, {weight}, {}, {}});
      return engine.gramian();
    };
    const auto expected = gramian_in(torch::kDouble, mtl::EnginePath::rows);
    CHECK(distance(gramian_in(torch::kDouble, mtl::EnginePath::products), expected) <= 1e-12);
    for (const auto path : {mtl::EnginePath::rows, mtl::EnginePath::products}) {
      CHECK(distance(gramian_in(torch::kFloat, path), expected) <= 5e-6);
    }
  }
}

TEST_CASE("Engine: gradients whose squares leave the range of a float") {
  for (const double scale : {1e-18, 1e15}) {
    const auto net = two_layers(torch::kFloat, 3, [](Tensor x) { return torch::relu(x); });
    const auto rows = backward_rows(net, net.shared);
    const auto expected = plain_gramian(rows, 3);
    for (const auto path :
         {mtl::EnginePath::automatic, mtl::EnginePath::rows, mtl::EnginePath::products}) {
      mtl::Engine engine({.path = path});
      auto step = net.step();
      for (auto& loss : step.losses) loss = loss * scale;
      start(engine, std::move(step));
      CHECK(distance(engine.gramian() / (scale * scale), expected) <= single_precision);
    }
  }
}

TEST_CASE("Engine: batches of changing size through one engine") {
  torch::manual_seed(1);
  PlainNet net;
  const auto w1 = net.parameter({7, 6}), b1 = net.parameter({7}), w2 = net.parameter({5, 7});
  net.add_heads(3, 5);
  const Eigen::Vector3d weights(0.3, 0.8, 1.4);
  for (const bool smooth : {false, true}) {
    mtl::Engine engine({.path = mtl::EnginePath::products});
    for (const int64_t samples : {9, 9, 4, 12, 9, 70}) {
      INFO("smooth " << smooth << ", " << samples << " samples");
      const auto x = torch::randn({samples, 6}, torch::kDouble);
      const auto batch = problem(net, [=] {
        const auto hidden = torch::nn::functional::linear(x, w1, b1);
        return torch::nn::functional::linear(smooth ? torch::tanh(hidden) : torch::relu(hidden),
                                             w2);
      });
      const auto rows = backward_rows(batch, net.shared);
      start(engine, batch.step());
      CHECK(distance(engine.gramian(), plain_gramian(rows, 3)) <= exact);
      engine.write_gradients(weights, mtl::HeadGradient::plain);
      for (size_t p = 0; p < rows.size(); ++p)
        CHECK(distance(net.shared[p].grad(), plain_sum(rows[p], weights)) <= exact);
    }
  }
}

TEST_CASE("Engine: NaN and Inf in a task's row show in its entry of the Gramian") {
  for (const auto path : {mtl::EnginePath::automatic, mtl::EnginePath::rows}) {
    const auto net = two_layers(torch::kFloat, 3, [](Tensor x) { return torch::relu(x); });
    auto step = net.step();
    step.losses[1] = step.losses[1] * std::numeric_limits<double>::quiet_NaN();
    mtl::Engine engine({.path = path});
    start(engine, std::move(step));
    const auto gramian = engine.gramian();
    CHECK_FALSE(std::isfinite(gramian(1, 1)));
    CHECK(std::isfinite(gramian(0, 0)));
    CHECK(std::isfinite(gramian(2, 0)));
  }
}

TEST_CASE("Engine: a saved activation that was changed in place is an error, as in backward()") {
  torch::manual_seed(1);
  PlainNet net;
  const auto w = net.parameter({6, 6});
  net.add_heads(2, 6);
  for (const auto path :
       {mtl::EnginePath::automatic, mtl::EnginePath::rows, mtl::EnginePath::products}) {
    const auto x = torch::randn({5, 6}, torch::kDouble);
    const auto losses = problem(net, [=] { return torch::tanh(F::linear(x, w)); }).losses();
    x.mul_(2);
    mtl::Engine engine({.path = path});
    start(engine, {losses, net.shared, {}, net.heads});
    CHECK_THROWS_AS(engine.gramian(), c10::Error);
  }
}

TEST_CASE("Engine: what cannot be done is said") {
  const auto net = two_layers(torch::kDouble, 2, [](Tensor x) { return torch::relu(x); });
  mtl::Engine engine;
  CHECK_THROWS_AS(start(engine, {{}, net.shared, {}, {}}), mtl::Error);
  CHECK_THROWS_AS(start(engine, {{torch::ones({2}, torch::requires_grad())}, net.shared, {}, {}}),
                  mtl::Error);
  CHECK_THROWS_AS(start(engine, {net.losses(), net.shared, {}, {net.heads[0]}}), mtl::Error);
  start(engine, net.step());
  CHECK_THROWS_AS(engine.weighted_sum(Eigen::VectorXd::Ones(3)), mtl::Error);
  CHECK_THROWS_AS(engine.gramians({{99}}), mtl::Error);
  CHECK_THROWS_AS(engine.write_direction({}, Eigen::VectorXd::Ones(2)), mtl::Error);
}

TEST_CASE("Rows: a dense Jacobian") {
  torch::manual_seed(1);
  const auto jacobian = torch::randn({4, 7}, torch::kDouble);
  const auto rows = mtl::rows_of(jacobian);
  const auto expected = plain_gramian(rows, 4);
  CHECK(distance(mtl::gramian(rows), expected) <= exact);
  CHECK(distance(mtl::norms(rows), expected.diagonal().cwiseSqrt()) <= exact);
  const auto sum = mtl::weighted_sum(rows, Eigen::VectorXd::Ones(4));
  CHECK(distance(sum[0], jacobian.sum(0)) <= exact);
  CHECK(std::abs(mtl::products(rows, sum).sum() - jacobian.sum(0).square().sum().item<double>()) <=
        exact * 100);
  CHECK_THROWS_AS(mtl::rows_of(torch::ones({3})), mtl::Error);
}

TEST_CASE("Engine: a direction that nobody else holds becomes the gradient without a copy") {
  const auto weight = torch::ones({4}, torch::requires_grad());
  mtl::Engine engine;
  start(engine, {{(weight * 2).sum()}, {weight}, {}, {}});
  std::vector<torch::Tensor> direction = {torch::full({4}, 3.0)};
  const auto* place = direction[0].data_ptr<float>();
  engine.write_direction(std::move(direction), Eigen::VectorXd::Ones(1));
  CHECK(weight.grad().data_ptr<float>() == place);
}
