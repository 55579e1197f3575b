import icon from "../icon.svg";

export function Brand() {
  return (
    <span className="brand">
      <img src={icon} alt="" width="22" height="22" />
      <span>CertiNext</span> <span className="brand-part">Audit trail</span>
    </span>
  );
}
