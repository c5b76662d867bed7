mod crash;
mod damage;
mod ordinary;
mod real;
mod sim;
