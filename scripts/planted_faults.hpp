#pragma once

#include <algorithm>
#include <cstdlib>
#include <initializer_list>
#include <type_traits>
#include <utility>

// What scripts/mutate.py puts into copies of sources: each fault is there, and the one whose number
// MTL_FAULT holds is active. So all faults of a room take one compilation.

namespace planted {

inline const int active = [] {
  const char* number = std::getenv("MTL_FAULT");
  return number == nullptr ? -1 : std::atoi(number);
}();

/// How often the active fault was met.
inline long reached = 0;

template <int n>
bool on() {
  if (active != n) return false;
  ++reached;
  return true;
}

template <int n, class Number>
Number either(Number as_written, Number fault) {
  return on<n>() ? fault : as_written;
}

/// Stands between two operators in the place of one: a + b becomes a + Place + b, which binds as
/// the operator did.
template <int n, char from, char to>
struct Place {};

template <class A, int n, char from, char to>
struct Left {
  const A& value;
};

template <char op, class A, class B>
auto apply(const A& a, const B& b) {
  if constexpr (op == '+')
    return a + b;
  else if constexpr (op == '-')
    return a - b;
  else if constexpr (op == '*')
    return a * b;
  else if constexpr (op == '/')
    return a / b;
  else if constexpr (op == '<')
    return a < b;
  else if constexpr (op == 'l')
    return a <= b;
  else if constexpr (op == '>')
    return a > b;
  else if constexpr (op == 'g')
    return a >= b;
  else if constexpr (op == '=')
    return a == b;
  else
    return a != b;
}

// Eigen's expressions differ in type; what they hold does not.
template <class T>
auto held(T&& value) {
  if constexpr (requires {
                  value.eval();
                  typename std::decay_t<T>::PlainObject;
                })
    return typename std::decay_t<T>::PlainObject(value);
  else
    return std::decay_t<T>(std::forward<T>(value));
}

template <int n, char from, char to, class A, class B>
auto chosen(const A& a, const B& b) {
  using Written = decltype(held(apply<from>(a, b)));
  if (on<n>()) return Written(apply<to>(a, b));
  return Written(apply<from>(a, b));
}

#define MTL_PLANT(op)                                                \
  template <class A, int n, char from, char to>                      \
  Left<A, n, from, to> operator op(const A& a, Place<n, from, to>) { \
    return {a};                                                      \
  }                                                                  \
  template <class A, int n, char from, char to, class B>             \
  auto operator op(Left<A, n, from, to> left, const B& b) {          \
    return chosen<n, from, to>(left.value, b);                       \
  }
MTL_PLANT(+)
MTL_PLANT(-)
MTL_PLANT(*)
MTL_PLANT(/)
MTL_PLANT(<)
MTL_PLANT(<=)
MTL_PLANT(>)
MTL_PLANT(>=)
MTL_PLANT(==)
MTL_PLANT(!=)
#undef MTL_PLANT

template <int n, class T>
T larger(const T& a, const T& b) {
  return on<n>() ? std::min(a, b) : std::max(a, b);
}
template <int n, class T>
T larger(std::initializer_list<T> all) {
  return on<n>() ? std::min(all) : std::max(all);
}
template <int n, class T>
T smaller(const T& a, const T& b) {
  return on<n>() ? std::max(a, b) : std::min(a, b);
}
template <int n, class T>
T smaller(std::initializer_list<T> all) {
  return on<n>() ? std::max(all) : std::min(all);
}

}  // namespace planted
