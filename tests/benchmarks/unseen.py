"""Formulas that the search was not built on.

``FIRST`` were written down before the search was built, and looked at while it was: they say how far its ideas carry.
``LATER`` were written down on 25 November 2026, before the search had met any of them; nothing is to be tuned to them.
"""

from __future__ import annotations

from tests.benchmarks.recovery import Case

FIRST = [
    Case.of("1", "x*y + sin(z)", x=(-2, 2), y=(-2, 2), z=(-2, 2)),
    Case.of("2", "(x - y)/(x + y)", x=(1, 3), y=(1, 3)),
    Case.of("3", "exp(-t/2)*cos(3*t)", t=(0, 6)),
    Case.of("4", "a*exp(-b*t)", a=(1, 3), b=(0.2, 1), t=(0, 4)),
    Case.of("5", "2*pi*sqrt(L/g)", L=(0.5, 3), g=(5, 15)),
    Case.of("6", "V*R2/(R1 + R2)", V=(1, 5), R1=(1, 4), R2=(1, 4)),
    Case.of("7", "x**3 - 3*x*y**2", x=(-2, 2), y=(-2, 2)),
    Case.of("8", "log(1 + x**2 + y**2)", x=(-2, 2), y=(-2, 2)),
    Case.of("9", "sin(x)*cos(y) + z", x=(-2, 2), y=(-2, 2), z=(-1, 1)),
    Case.of("10", "1/(1 + exp(-2*x + y))", x=(-2, 2), y=(-2, 2)),
    Case.of("11", "m1*m2/(m1 + m2)", m1=(1, 5), m2=(1, 5)),
    Case.of("12", "tanh(x*y)", x=(-1.5, 1.5), y=(-1.5, 1.5)),
    Case.of("13", "x*exp(-x*y)", x=(0.2, 2), y=(0.2, 2)),
    Case.of("14", "A*sin(w*t + p)", A=(1, 2), w=(1, 3), t=(0, 2), p=(0, 1)),
    Case.of("15", "(x**2 + y**2)/(1 + z**2)", x=(-2, 2), y=(-2, 2), z=(-2, 2)),
    Case.of("16", "L*sqrt(1 - v**2)", L=(1, 3), v=(0, 0.9)),
    Case.of("17", "x/(x**2 + y**2)", x=(0.5, 2), y=(0.5, 2)),
    Case.of("18", "exp(-(x - y)**2/2)", x=(-1, 2), y=(-1, 2)),
    Case.of("19", "abs(x) + y**2", x=(-2, 2), y=(-2, 2)),
    Case.of("20", "n*T/(V - b*n) - a*n**2/V**2", n=(1, 2), T=(1, 3), V=(5, 8), b=(0.1, 0.5), a=(1, 3)),
    Case.of("21", "x**3/(exp(x/T) - 1)", x=(0.5, 4), T=(0.5, 2)),
    Case.of("22", "k*x**2/2 + m*v**2/2", k=(1, 3), x=(-2, 2), m=(1, 3), v=(-2, 2)),
    Case.of("23", "(x + y)*z - w", x=(-2, 2), y=(-2, 2), z=(-2, 2), w=(-2, 2)),
    Case.of("24", "log(x)/log(y)", x=(2, 6), y=(2, 6)),
    Case.of("25", "x**y", x=(1, 3), y=(0.5, 2)),
    Case.of("26", "cos(x)**2 - sin(y)**2", x=(-2, 2), y=(-2, 2)),
    Case.of("27", "atan(y/x)", x=(1, 3), y=(-3, 3)),
    Case.of("28", "x**1.5*y - 2", x=(0, 3), y=(-2, 2)),
    Case.of("29", "3 + 2*tanh(1.5*x - y)", x=(-1.5, 1.5), y=(-1.5, 1.5)),
    Case.of("30", "1/(1/a + 1/b + 1/c)", a=(1, 4), b=(1, 4), c=(1, 4)),
    Case.of("31", "a*b*sin(t)/2", a=(1, 3), b=(1, 3), t=(0, 3.1)),
    Case.of("32", "1.3 + log(2*x + 3*y)", x=(0.1, 3), y=(0.1, 3)),
    Case.of("33", "x**2/(k**2 + x**2)", x=(0, 4), k=(1, 3)),
    Case.of("34", "V*s/(K*(1 + i/j) + s)", V=(1, 3), s=(0.2, 4), K=(0.5, 2), i=(0, 2), j=(0.5, 2)),
    Case.of("35", "x**4 - 2*x**2 + x", x=(-2, 2)),
    Case.of("36", "sin(x**2)/x", x=(0.5, 3)),
    Case.of("37", "exp(sin(x) + y) + z", x=(-2, 2), y=(-1, 1), z=(-3, 3)),
    Case.of("38", "a*b + c*d + e*f", a=(-2, 2), b=(-2, 2), c=(-2, 2), d=(-2, 2), e=(-2, 2), f=(-2, 2)),
    Case.of("39", "(a + b)*(c + d)", a=(0, 2), b=(0, 2), c=(0, 2), d=(0, 2)),
    Case.of("40", "sqrt(x)*log(y) + 1", x=(0, 4), y=(0.5, 4)),
    Case.of("41", "x0**2 + sin(x2) + 0*x1 + 0*x3 + 0*x4", x0=(-2, 2), x1=(-2, 2), x2=(-2, 2), x3=(-2, 2), x4=(-2, 2)),
    Case.of("42", "s*A*(T1**4 - T2**4)", s=(0.5, 2), A=(1, 3), T1=(1, 2), T2=(0.5, 1.5)),
    Case.of("43", "F/sqrt((a**2 - w**2)**2 + (g*w)**2)", F=(1, 3), a=(2, 3), w=(0.5, 1.5), g=(0.2, 1)),
    Case.of("44", "sin(x)**2/x**2", x=(0.3, 6)),
    Case.of("45", "(x - v*t)/sqrt(1 - v**2)", x=(2, 5), v=(0, 0.8), t=(0, 2)),
    Case.of("46", "y*exp(-x**2) + z**2", x=(-2, 2), y=(-2, 2), z=(-2, 2)),
    Case.of("47", "a + b*x + c*x**2", a=(-1, 1), b=(-1, 1), c=(-1, 1), x=(-2, 2)),
    Case.of("48", "exp(-x)*y/(1 + y)", x=(0, 3), y=(0, 4)),
]

LATER = [
    Case.of("Arrhenius", "A*exp(-E/T)", A=(1, 3), E=(1, 4), T=(0.5, 2)),
    Case.of("Hill", "V*s**2/(K**2 + s**2)", V=(1, 3), s=(0.1, 4), K=(0.5, 2)),
    Case.of("van der Waals", "8*T/(3*v - 1) - 3/v**2", T=(0.8, 2), v=(0.6, 3)),
    Case.of("Einstein's solid", "(h/T)**2*exp(h/T)/(exp(h/T) - 1)**2", h=(0.5, 4), T=(0.5, 2)),
    Case.of("Morse", "D*(1 - exp(-a*(r - b)))**2", D=(1, 3), a=(0.5, 2), r=(0.5, 4), b=(1, 2)),
    Case.of("Lennard-Jones", "4*e*((s/r)**12 - (s/r)**6)", e=(0.5, 2), s=(0.8, 1.2), r=(1, 3)),
    Case.of("great circle", "acos(sin(a)*sin(b) + cos(a)*cos(b)*cos(c))", a=(-1, 1), b=(-1, 1), c=(0.2, 3)),
    Case.of("Compton", "w/(1 + w*(1 - cos(t)))", w=(0.2, 3), t=(0, 3.1)),
    Case.of("Doppler", "f*sqrt((1 + b)/(1 - b))", f=(1, 3), b=(-0.8, 0.8)),
    Case.of("low pass", "1/sqrt(1 + (w*R*C)**2)", w=(0.5, 3), R=(0.5, 2), C=(0.5, 2)),
    Case.of("rocket", "v*log(m/(m - b*t))", v=(2, 4), m=(3, 5), b=(0.2, 1), t=(0, 2)),
    Case.of(
        "throw", "v*cos(t)*(v*sin(t) + sqrt(v**2*sin(t)**2 + 2*g*h))/g", v=(1, 4), t=(0.1, 1.4), g=(5, 15), h=(0, 2)
    ),
    Case.of("logistic growth", "K/(1 + (K/P - 1)*exp(-r*t))", K=(2, 5), P=(0.2, 1), r=(0.5, 2), t=(0, 3)),
    Case.of("Cobb-Douglas", "A*K**0.3*L**0.7", A=(1, 3), K=(0.5, 4), L=(0.5, 4)),
    Case.of("beat", "sin(5*t) + sin(6*t)", t=(0, 6)),
    Case.of("beam", "exp(-2*r**2/w**2)/w**2", r=(-2, 2), w=(0.5, 2)),
    Case.of("Manning", "h**(2/3)*sqrt(s)/n", h=(0.2, 3), s=(0.01, 0.2), n=(0.1, 0.5)),
    Case.of("two masses", "sqrt(k*(1/m + 1/M))", k=(1, 4), m=(0.5, 3), M=(0.5, 3)),
    Case.of("Nernst", "E + T*log(c/d)/n", E=(-1, 1), T=(0.5, 2), c=(0.2, 3), d=(0.2, 3), n=(1, 4)),
    Case.of("Antoine", "exp(a - b/(c + T))", a=(1, 2), b=(1, 3), c=(1, 2), T=(0, 3)),
    Case.of("Kepler", "a*(1 - e**2)/(1 + e*cos(t))", a=(1, 3), e=(0, 0.8), t=(0, 6.28)),
    Case.of("dipole", "m*sqrt(1 + 3*cos(t)**2)/r**3", m=(1, 3), t=(0, 3.14), r=(1, 2)),
    Case.of("root", "(sqrt(b**2 + 4*a*c) - b)/(2*a)", a=(0.5, 3), b=(-2, 2), c=(0.5, 3)),
    Case.of("two exponentials", "x*exp(y) - y*exp(x)", x=(-1, 1), y=(-1, 1)),
]
#: Written down on the same day, after the search had been improved on the others.
LAST = [
    Case.of("Bragg", "asin(n*l/(2*d))", n=(0.5, 1.5), l=(0.5, 1), d=(1, 3)),
    Case.of(
        "pendulum energy", "m*L**2*w**2/2 + m*g*L*(1 - cos(t))", m=(1, 3), L=(0.5, 2), w=(-2, 2), g=(5, 15), t=(-2, 2)
    ),
    Case.of("Stokes", "2*r**2*g*(p - q)/(9*m)", r=(0.1, 1), g=(5, 15), p=(2, 4), q=(0.5, 1.5), m=(0.5, 2)),
    Case.of("escape", "sqrt(2*G*M*(1/r - 1/R))", G=(0.5, 2), M=(1, 3), r=(1, 2), R=(3, 5)),
    Case.of("Monod", "m*s/(K + s + s**2/J)", m=(0.5, 2), s=(0.1, 4), K=(0.2, 1), J=(1, 4)),
    Case.of("Gompertz", "a*exp(-b*exp(-c*t))", a=(1, 3), b=(1, 3), c=(0.3, 1), t=(0, 4)),
    Case.of("Wien", "a*x**3*exp(-b*x)", a=(1, 3), b=(1, 2), x=(0.2, 4)),
    Case.of("Malus", "I*cos(a - b)**2", I=(1, 3), a=(0, 3.14), b=(0, 3.14)),
    Case.of("Yukawa", "g*exp(-m*r)/r", g=(1, 3), m=(0.2, 2), r=(0.5, 3)),
    Case.of("Lorentzian", "g/(pi*((x - c)**2 + g**2))", g=(0.3, 2), x=(-2, 2), c=(-1, 1)),
    Case.of("RLC", "sqrt(R**2 + (w*L - 1/(w*C))**2)", R=(0.5, 2), w=(0.5, 3), L=(0.5, 2), C=(0.5, 2)),
    Case.of(
        "Goldman", "T*log((a + p*b)/(c + p*d))", T=(0.5, 2), a=(0.5, 3), p=(0.1, 1), b=(0.5, 3), c=(0.5, 3), d=(0.5, 3)
    ),
    Case.of("annuity", "P*r/(1 - (1 + r)**(-n))", P=(1, 3), r=(0.02, 0.2), n=(2, 20)),
    Case.of("triangle", "sqrt(a**2 + b**2 - 2*a*b*cos(t))", a=(1, 3), b=(1, 3), t=(0.3, 2.8)),
    Case.of("half life", "N*2**(-t/h)", N=(1, 3), t=(0, 4), h=(0.5, 2)),
    Case.of("lens maker", "1/((n - 1)*(1/R - 1/S))", n=(1.2, 1.8), R=(1, 2), S=(3, 5)),
    Case.of("standing wave", "2*A*sin(k*x)*cos(w*t)", A=(1, 2), k=(0.5, 2), x=(0, 3), w=(0.5, 2), t=(0, 3)),
    Case.of("virial", "T/v*(1 + B/v + C/v**2)", T=(0.5, 2), v=(1, 3), B=(-1, 1), C=(0.2, 1)),
    Case.of("Fermi", "1/(exp((E - m)/T) + 1)", E=(0, 3), m=(0.5, 2), T=(0.3, 1.5)),
    Case.of("two springs", "x*(1 - L/sqrt(L**2 + x**2))", x=(-2, 2), L=(0.5, 2)),
    Case.of("hump", "x*y*exp(-x**2 - y**2)", x=(-2, 2), y=(-2, 2)),
    Case.of("mean", "(a*x + b*y)/(a + b)", a=(0.5, 3), b=(0.5, 3), x=(-2, 2), y=(-2, 2)),
    Case.of("cosh sum", "log(cosh(x) + cosh(y))", x=(-2, 2), y=(-2, 2)),
    Case.of("chirp", "A*sin(t + b*t**2)", A=(1, 3), b=(0.2, 1), t=(0, 3)),
]
