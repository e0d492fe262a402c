#include "methods.hpp"
#include "mtl/combine/bilevel/bilevel.hpp"

namespace mtl {
namespace {

template <class Chosen>
void rates(Options options, Chosen& chosen) {
  chosen.lr = options.number("lr", chosen.lr);
  chosen.inner_lr = options.number("inner_lr", chosen.inner_lr);
}

template <class Scale>
Scale scale(Options options, Scale otherwise) {
  return options.choice("scale", otherwise, {{"none", Scale::none}, {"l2", Scale::l2}});
}

Made auto_lambda(Options options, Tasks) {
  AutoLambda::Options chosen;
  rates(options, chosen);
  chosen.start = options.number("start", chosen.start);
  chosen.primary = options.numbers("primary");
  return std::make_unique<AutoLambda>(std::move(chosen));
}

Made moml(Options options, Tasks) {
  Moml::Options chosen;
  rates(options, chosen);
  chosen.scale = scale(options, chosen.scale);
  return std::make_unique<Moml>(std::move(chosen));
}

Made forum(Options options, Tasks) {
  Forum::Options chosen;
  rates(options, chosen);
  chosen.inner_steps = options.count("inner_steps", chosen.inner_steps);
  chosen.rho = options.number("rho", chosen.rho);
  chosen.scale = scale(options, chosen.scale);
  return std::make_unique<Forum>(std::move(chosen));
}

}  // namespace

const std::vector<Method>& bilevel_methods() {
  static const std::vector<Method> methods = {
      {"auto_lambda", auto_lambda}, {"moml", moml}, {"forum", forum}};
  return methods;
}

}  // namespace mtl
